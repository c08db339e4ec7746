// `ponder logprobs`: texts through the trainer's forward pass, many in a batch, in their order.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "kernels/thread_pool.h"
#include "model/files/checkpoint_folder.h"
#include "model/lora/adapter_folder.h"
#include "rl/commands/model_source.h"
#include "model/tokenizer/tokenizer.h"
#include "rl/commands/output_file.h"
#include "rl/commands/tool_commands.h"
#include "rl/data/json_rows.h"
#include "rl/memory_plan.h"
#include "rl/report/progress.h"
#include "rl/score_tokens.h"

namespace rl {
namespace {

using Json = nlohmann::ordered_json;
using kernels::fail_usage;

constexpr int64_t most_rows = 8192;  // of a batch: more make no product faster
constexpr int64_t fixed_bytes = int64_t{256} << 20;  // the program, and the logits of a chunk

struct Line {
  int64_t number = 0;  // in the file, from 1
  std::string id;      // JSON text; empty: none
  std::vector<int32_t> tokens;
};

// Reads lines and checks them against the model, before its weights are loaded.
class Reader {
 public:
  Reader(const LogprobsOptions& options, const model::ModelConfig& config, std::string tokenizer_folder)
      : options_(options), config_(config), tokenizer_folder_(std::move(tokenizer_folder)) {}

  std::vector<Line> read() {
    std::vector<Line> lines;
    for_each_row(options_.input, [&](int64_t number, const Json& row) {
      Line line;
      line.number = number;
      if (const auto id = row.find("id"); id != row.end()) line.id = id->dump(-1, ' ', false, Json::error_handler_t::replace);
      line.tokens = tokens_of(row, fmt::format("{}:{}", options_.input, number));
      lines.push_back(std::move(line));
      return true;
    });
    return lines;
  }

 private:
  std::vector<int32_t> tokens_of(const Json& row, const std::string& place) {
    const auto tokens = row.find("tokens"), text = row.find("text");
    if ((tokens == row.end()) == (text == row.end()))
      fail_usage("{}: must have one of \"tokens\" and \"text\"; its keys are: {}.", place, keys_of(row));
    auto ids = tokens != row.end() ? ids_of(*tokens, place) : encoded(*text, place);
    if (ids.empty()) fail_usage("{}: has no tokens. Give at least one.", place);
    if (static_cast<int64_t>(ids.size()) - 1 > config_.max_positions)  // the last token is predicted, never read
      fail_usage("{}: has {} tokens, but the model has {} positions. Cut the text.", place, ids.size(), config_.max_positions);
    for (const int32_t id : ids)
      if (id >= config_.vocab_size)
        fail_usage("{}: the tokenizer gives id {}, but the model has ids 0 to {}.", place, id, config_.vocab_size - 1);
    return ids;
  }

  std::vector<int32_t> ids_of(const Json& tokens, const std::string& place) const {
    if (!tokens.is_array()) fail_usage("{}: \"tokens\" must be a list of token ids.", place);
    std::vector<int32_t> ids;
    for (const auto& id : tokens) {
      if (!id.is_number_integer() || id < 0 || id >= config_.vocab_size)
        fail_usage("{}: \"tokens\" holds {}, but must hold ids from 0 to {}.", place, id.dump(), config_.vocab_size - 1);
      ids.push_back(id.get<int32_t>());
    }
    return ids;
  }

  std::vector<int32_t> encoded(const Json& text, const std::string& place) {
    if (!text.is_string()) fail_usage("{}: \"text\" is no text.", place);
    if (!tokenizer_) tokenizer_ = open_tokenizer(tokenizer_folder_);
    return tokenizer_->encode(text.get_ref<const std::string&>(), options_.special);
  }

  const LogprobsOptions& options_;
  const model::ModelConfig& config_;
  std::string tokenizer_folder_;
  std::shared_ptr<const model::Tokenizer> tokenizer_;
};

int64_t rows_of(const Line& line) { return static_cast<int64_t>(line.tokens.size()) - 1; }

// Rows that fit beside the weights; the longest line must.
int64_t rows_at_once(const LogprobsOptions& options, const model::WeightSet& weights, const std::vector<Line>& lines) {
  const int64_t budget = options.memory_mb > 0 ? options.memory_mb << 20 : machine_memory_bytes() / 10 * 8;
  const int64_t each = score_tokens_bytes_per_row(weights.config, weights.dtype), left = budget - weights.bytes() - fixed_bytes;
  const auto& longest = *std::max_element(lines.begin(), lines.end(), [](auto& a, auto& b) { return rows_of(a) < rows_of(b); });
  if (rows_of(longest) * each > left)
    fail_usage("{}:{}: its {} tokens need {} MB beside the weights' {} MB, and the budget is {} MB. Raise --memory-mb or cut the text.",
               options.input, longest.number, longest.tokens.size(), (rows_of(longest) * each + fixed_bytes) >> 20, weights.bytes() >> 20,
               budget >> 20);
  return std::clamp<int64_t>(left / each, 1, most_rows);
}

std::string ids_text(const std::vector<int32_t>& ids) {
  std::string out = "[";
  for (const int32_t id : ids) out += fmt::format("{}{}", out.size() > 1 ? "," : "", id);
  return out + "]";
}

// Numbers in the fewest digits that give the float back.
std::string output_line(const Line& line, const ScoredText& scored, bool with_top) {
  std::string out = "{";
  if (!line.id.empty()) out += "\"id\":" + line.id + ",";
  out += "\"tokens\":" + ids_text(line.tokens) + ",\"logprobs\":[null";
  for (const float x : scored.logprobs) out += fmt::format(",{}", x);
  out += "]";
  if (with_top) {
    out += ",\"top\":[null";
    for (const auto& place : scored.top) {
      out += ",[";
      for (size_t i = 0; i < place.size(); ++i) out += fmt::format("{}[{},{}]", i > 0 ? "," : "", place[i].first, place[i].second);
      out += "]";
    }
    out += "]";
  }
  return out + "}\n";
}

struct Sum {
  double logprob = 0;
  int64_t tokens = 0;
  double mean() const { return tokens > 0 ? logprob / static_cast<double>(tokens) : 0.0; }
};

void add(const Line& line, const ScoredText& scored, const LogprobsOptions& options, Sum& sum) {
  for (const float x : scored.logprobs) {
    if (!std::isfinite(x))
      kernels::fail("{}:{}: a log-probability is {}: the weights in {} give no finite numbers.", options.input, line.number, x, options.model);
    sum.logprob += x;
  }
  sum.tokens += static_cast<int64_t>(scored.logprobs.size());
}

}  // namespace

int run_logprobs(const LogprobsOptions& options) {
  kernels::set_threads(options.threads);
  const model::ModelPlace place = model::find_model_place(options.model, options.base);
  const model::ModelConfig config = model::read_config(place.base);
  const auto lines = Reader(options, config, place.texts()).read();
  OutputFile out(options.output, options.input);
  const auto weights = model::read_packed_weights(place, config, options.dtype);
  const int64_t most = rows_at_once(options, *weights, lines);
  int64_t all = 0;
  for (const auto& line : lines) all += rows_of(line);
  Sum sum;
  const auto start = std::chrono::steady_clock::now();
  const auto rate = [&] {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return seconds > 0 ? static_cast<double>(sum.tokens) / seconds : 0.0;
  };
  Progress progress("logprobs", static_cast<int64_t>(lines.size()));
  for (size_t first = 0, end = 0; first < lines.size(); first = end) {
    std::vector<const std::vector<int32_t>*> texts;
    for (int64_t rows = 0; end < lines.size() && (end == first || rows + rows_of(lines[end]) <= most); ++end) {
      rows += rows_of(lines[end]);
      texts.push_back(&lines[end].tokens);
    }
    const auto scored = score_tokens(*weights, texts, {options.top, options.temperature});
    std::string text;
    for (size_t i = first; i < end; ++i) {
      add(lines[i], scored[i - first], options, sum);
      text += output_line(lines[i], scored[i - first], options.top > 0);
    }
    out.write(text);
    progress.update(static_cast<int64_t>(end), fmt::format("{} of {} tokens, {:.0f} a second", sum.tokens, all, rate()));
  }
  progress.note(fmt::format("{} lines, {} tokens scored: mean log-probability {:.6f}, perplexity {:.6f}, {:.0f} tokens a second",
                            lines.size(), sum.tokens, sum.mean(), std::exp(-sum.mean()), rate()));
  return 0;
}

}  // namespace rl
