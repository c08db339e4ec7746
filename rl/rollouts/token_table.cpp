#include "rl/rollouts/token_table.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace rl {
namespace {

constexpr int64_t kLastShown = 8;
constexpr const char *dim = "\033[2m", *bold = "\033[1m", *green = "\033[32m", *red = "\033[31m", *plain = "\033[0m";

std::string number_or_dash(std::optional<double> value, const char* format) {
  return value && std::isfinite(*value) ? fmt::format(fmt::runtime(format), *value) : "-";
}

// Length of the character that begins with `lead`; 0 when none does.
size_t character_length(unsigned char lead) {
  return lead < 0x80 ? 1 : lead >= 0xC2 && lead < 0xE0 ? 2 : lead >= 0xE0 && lead < 0xF0 ? 3 : lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
}

bool whole_character(const std::string& bytes, size_t at, size_t length) {
  if (length == 0 || at + length > bytes.size()) return false;
  for (size_t i = 1; i < length; ++i)
    if ((static_cast<unsigned char>(bytes[at + i]) & 0xC0) != 0x80) return false;
  return true;
}

}  // namespace

std::string printable(const std::string& bytes, bool keep_lines) {
  std::string out;
  for (size_t i = 0; i < bytes.size();) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    const size_t length = character_length(byte);
    if (byte == '\n') out += keep_lines ? "\n" : "\\n", ++i;
    else if (byte == '\t') out += "\\t", ++i;
    else if (byte < 0x20 || byte == 0x7F || !whole_character(bytes, i, length)) out += fmt::format("\\x{:02x}", byte), ++i;
    else out += bytes.substr(i, length), i += length;
  }
  return out;
}

std::string token_table(const TokenView& view, const model::Tokenizer* tokenizer, int64_t most) {
  const bool cut = !view.kept.empty();
  const auto kept_column = [cut](const std::string& text) { return cut ? fmt::format("{:>7} ", text) : std::string(); };
  std::string out = fmt::format("  {:>5} {:>7}  {:<5} {:>9} {}{:>9}  {}\n", "place", "id", "mask", "logprob", kept_column("kept"), "advantage",
                                "text");
  const auto size = static_cast<int64_t>(view.tokens.size());
  size_t next = 0;
  for (int64_t t = 0; t < size; ++t) {
    const bool trained = view.trained[static_cast<size_t>(t)] != 0;
    const std::string kept = kept_column(cut && trained ? std::to_string(view.kept.at(next)) : "-");
    const std::optional<double> logprob = trained ? std::optional(view.logprobs.at(next++)) : std::nullopt;
    if (size > most && t >= most - kLastShown && t < size - kLastShown) {
      if (t == most - kLastShown) out += fmt::format("  {:>5}\n", "...");
      continue;
    }
    const int32_t id = view.tokens[static_cast<size_t>(t)];
    out += fmt::format("  {:>5} {:>7}  {:<5} {:>9} {}{:>9}  {}\n", t, id, trained ? "1" : "0", number_or_dash(logprob, "{:.4f}"), kept,
                       number_or_dash(trained ? view.advantage : std::nullopt, "{:+.4f}"),
                       tokenizer ? "\"" + printable(tokenizer->token_bytes(id)) + "\"" : "");
  }
  return out;
}

std::string coloured_text(const TokenView& view, const model::Tokenizer& tokenizer) {
  std::string out, style, bytes;  // of a run of tokens in one style: characters may be cut between tokens
  const auto end_run = [&] {
    if (!bytes.empty()) out += style + printable(bytes, /*keep_lines=*/true) + plain;
    bytes.clear();
  };
  size_t next = 0;
  for (size_t t = 0; t < view.tokens.size(); ++t) {
    std::string own = dim;
    if (view.trained[t]) {
      own = !view.advantage || *view.advantage == 0 ? "" : *view.advantage > 0 ? green : red;
      if (view.logprobs.at(next++) < -1) own += bold;
    }
    if (own != style) end_run();
    style = own;
    bytes += tokenizer.token_bytes(view.tokens[t]);
  }
  end_run();
  return out;
}

std::string first_sample_text(const std::vector<Group>& groups, const Advantages& advantages, const model::Tokenizer& tokenizer,
                              bool colour) {
  if (groups.empty() || groups[0].samples.empty()) return "";
  size_t g = 0, i = 0;
  for (size_t a = 0; a < groups.size(); ++a) {
    const auto found = std::find_if(advantages[a].begin(), advantages[a].end(), [](double x) { return std::isfinite(x); });
    if (found == advantages[a].end()) continue;
    g = a, i = static_cast<size_t>(found - advantages[a].begin());
    break;
  }
  const ScoredSample& s = groups[g].samples[i];
  std::vector<uint8_t> trained(s.record.tokens.size(), 0);
  for (const auto& run : s.record.trained) std::fill_n(trained.begin() + run.first, run.length, 1);
  const std::vector<double> logprobs(s.record.logprobs.begin(), s.record.logprobs.end());
  const double advantage = advantages[g][i];
  const std::vector<int64_t> kept = s.record.kept.counts();
  const TokenView view{s.record.tokens, trained, logprobs, std::isfinite(advantage) ? std::optional(advantage) : std::nullopt, kept};
  return fmt::format("first sample: {} prompt tokens, {} completion tokens ({}), reward {}\n  prompt  {}\n  gold    {}\n{}{}",
                     s.record.prompt_tokens.size(), s.record.tokens.size(), name_of(s.record.finish),
                     s.outcome.has_value() ? fmt::format("{:g}", s.outcome.value) : reward::name_of(s.outcome.status),
                     printable(tokenizer.decode(s.record.prompt_tokens)), groups[g].problem.answer, token_table(view, &tokenizer, 48),
                     colour ? "  " + coloured_text(view, tokenizer) + "\n" : "");
}

}  // namespace rl
