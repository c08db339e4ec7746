// The report of `ponder inspect` for people.
#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "rl/commands/inspect.h"

namespace rl {
namespace {

using Json = nlohmann::ordered_json;

std::string size_text(int64_t bytes) {
  const double mb = static_cast<double>(bytes) / 1048576.0;
  return mb >= 10240 ? fmt::format("{:.1f} GB", mb / 1024) : mb >= 10 ? fmt::format("{:.0f} MB", mb) : fmt::format("{:.2f} MB", mb);
}

std::string count_of(int64_t n) {
  const auto x = static_cast<double>(n);
  return n >= 10'000'000'000 ? fmt::format("{:.1f} B", x / 1e9) : n >= 100'000 ? fmt::format("{:.2f} M", x / 1e6) : fmt::format("{}", n);
}

int64_t number(const Json& j, const char* key) { return j.at(key).get<int64_t>(); }
std::string text(const Json& j, const char* key) { return j.at(key).get<std::string>(); }

std::string row(const char* label, const std::string& value) { return fmt::format("{:<13}{}\n", label, value); }

std::string attention_text(const Json& a) {
  if (a["kind"] == "mla")
    return fmt::format("latent attention (MLA), {} heads, latent {}, rope {}, values {}, queries {}", number(a, "heads"),
                       number(a, "latent_rank"), number(a, "rope_size"), number(a, "value_size"),
                       number(a, "query_rank") > 0 ? fmt::format("compressed to {}", number(a, "query_rank")) : "as they are");
  std::string out = fmt::format("grouped-query attention, {} heads, {} key heads of {}", number(a, "heads"), number(a, "key_heads"),
                                number(a, "head_size"));
  if (a.contains("query_key_norm")) out += ", q and k normed over " + text(a, "query_key_norm");
  if (a.contains("biases")) out += ", biases of " + text(a, "biases");
  return out;
}

std::string layer_text(const Json& l) {
  const std::string window = number(l, "window") > 0 ? fmt::format(", window of {}", number(l, "window")) : "";
  if (l["feed_forward"] == "dense") return fmt::format("dense feed-forward, width {}{}", number(l, "width"), window);
  std::string out = fmt::format("{} experts of width {}, {} active", number(l, "experts"), number(l, "width"), number(l, "active"));
  if (number(l, "shared") > 0) out += fmt::format(", {} shared", number(l, "shared"));
  out += fmt::format(", {} router", text(l, "router"));
  if (l.contains("groups")) out += fmt::format(", {} of {} groups", number(l, "groups_kept"), number(l, "groups"));
  return out + window;
}

std::string layers_text(const Json& layers) {
  std::string out;
  for (const auto& l : layers)
    out += row(out.empty() ? "layers" : "",
               fmt::format("{}: {}", l["first"] == l["last"] ? fmt::format("{}", number(l, "first")) : fmt::format("{} to {}", number(l, "first"), number(l, "last")),
                           layer_text(l)));
  return out;
}

std::string positions_text(const Json& p) {
  std::string out = fmt::format("{} positions, rope theta {}", number(p, "context"), p["rope_theta"].get<double>());
  if (p["rope_scaling"] != "none")
    out += fmt::format(", {} scaling by {} from {}", text(p, "rope_scaling"), p["factor"].get<double>(), number(p, "original_positions"));
  return out;
}

std::string weights_text(const Json& w) {
  if (w.is_null()) return "none here";
  std::string types;
  for (const auto& [type, bytes] : w["bytes_of_type"].items())
    types += fmt::format("{}{} {}", types.empty() ? "" : ", ", type, size_text(bytes.get<int64_t>()));
  const int64_t files = number(w, "files");
  return fmt::format("{} in {} tensors, {} file{} ({})", size_text(number(w, "bytes")), number(w, "tensors"), files, files == 1 ? "" : "s", types);
}

std::string tokenizer_text(const Json& t) {
  if (t.is_null()) return "none that can be used";
  std::string special;
  size_t shown = 0;
  for (const auto& token : t["special"]) {
    if (++shown > 6) break;
    special += (special.empty() ? "" : " ") + token.get<std::string>();
  }
  if (t["special"].size() > 6) special += fmt::format(" and {} more", t["special"].size() - 6);
  return fmt::format("{}, {} tokens{}", text(t, "kind"), number(t, "size"), special.empty() ? "" : "; special: " + special);
}

std::string files_text(const Json& files) {
  std::string out;
  for (const auto& f : files) out += row(out.empty() ? "files" : "", fmt::format("{:<34}{:>10}", text(f, "name"), size_text(number(f, "bytes"))));
  return out;
}

std::string memory_text(const Json& m) {
  std::string out = fmt::format(
      "\nmemory to train: GRPO, bf16, {} prompts of {} samples, no reference policy; {} here\n"
      "  prompt + answer   weights, optimizer   sampling   activations       all   at least\n",
      number(m["training"][0], "prompts"), number(m["training"][0], "samples"), size_text(number(m, "budget")));
  for (const auto& r : m["training"])
    out += fmt::format("  {:>6} + {:<6}   {:>18}   {:>8}   {:>11}   {:>7}   {:>8}{}\n", number(r, "prompt_tokens"), number(r, "new_tokens"),
                       size_text(number(r, "weights_and_optimizer")), size_text(number(r, "sampling")), size_text(number(r, "activations")),
                       size_text(number(r, "total")), size_text(number(r, "least")), r["fits"].get<bool>() ? "" : "  too much for here");
  out += "  at least: small micro-batches, every block run again in backward, one sequence in the cache at a time\n"
         "\nmemory to serve, bf16\n  sequences x tokens    weights     cache   batches       all\n";
  for (const auto& r : m["serving"])
    out += fmt::format("  {:>9} x {:<6}   {:>8}  {:>8}  {:>8}  {:>8}{}\n", number(r, "sequences"), number(r, "tokens"), size_text(number(r, "weights")),
                       size_text(number(r, "cache")), size_text(number(r, "batches")), size_text(number(r, "total")),
                       r["fits"].get<bool>() ? "" : "  too much for here");
  return out;
}

}  // namespace

std::string inspect_table(const Json& report) {
  const auto& a = report["architecture"];
  const auto& p = report["parameters"];
  const auto& cache = report["cache_bytes_per_token"];
  std::string out = row("model", text(report, "path"));
  out += row("family", fmt::format("{}{}, {} layers of width {}, {} tokens{}", text(a, "family"),
                                   text(a, "class").empty() ? "" : " (" + text(a, "class") + ")", number(a, "layers"), number(a, "width"),
                                   number(a, "vocabulary"), a["tied_embedding"].get<bool>() ? ", head tied to the embedding" : ""));
  out += row("attention", attention_text(a["attention"]));
  out += layers_text(report["layers"]);
  out += row("positions", positions_text(report["positions"]));
  out += row("parameters", fmt::format("{} in all, {} active for a token, {} of them the embedding{}", count_of(number(p, "total")),
                                       count_of(number(p, "active")), count_of(number(p, "embedding")),
                                       a["tied_embedding"].get<bool>() ? "" : " and the head"));
  out += row("weights", weights_text(report["weights"]));
  out += row("in memory", fmt::format("{} in bf16, {} in float32", size_text(number(report["bytes"], "bf16")), size_text(number(report["bytes"], "float32"))));
  out += row("cache", fmt::format("{} bytes a token in bf16, {} in float32", number(cache, "bf16"), number(cache, "float32")));
  out += row("tokenizer", tokenizer_text(report["tokenizer"]));
  out += row("template", report["chat_template"].is_null() ? "none" : "in " + text(report, "chat_template"));
  out += files_text(report["files"]);
  for (const auto& note : report["notes"]) out += row("note", note.get<std::string>());
  return out + memory_text(report["memory"]);
}

}  // namespace rl
