// The rotary settings of config.json.
#include "kernels/error.h"
#include "model/families/common_json.h"

namespace model {

using nlohmann::json;
using nlohmann::ordered_json;

namespace {

// `f`: the whole file, whose own original_max_position_embeddings counts more than that of `rope`.
void read_scaling(const JsonFields& f, const JsonFields& rope, ModelConfig& c) {
  auto& s = c.rope_scaling;
  if (s.kind != "linear" && s.kind != "llama3" && s.kind != "yarn")
    rope.wrong(rope.find("rope_type") ? "rope_type" : "type", "a supported scaling: default, linear, llama3, yarn");
  if (s.kind != "linear") {
    const char* key = "original_max_position_embeddings";
    s.original_positions = f.integer(key, 1, INT32_MAX, rope.integer(key, 1, INT32_MAX, c.max_positions));
  }
  if (s.kind == "yarn" && !rope.absent("factor") && !rope.find("factor"))
    s.factor = static_cast<double>(c.max_positions) / static_cast<double>(s.original_positions);
  else
    s.factor = rope.number("factor");
  if (s.kind == "llama3") {
    s.low_frequency_factor = rope.number("low_freq_factor");
    s.high_frequency_factor = rope.number("high_freq_factor");
  }
  s.mscale_all_dim = rope.number("mscale_all_dim", 0.0);  // DeepSeek's code scales attention by it whatever the kind
  if (s.kind != "yarn") return;
  const auto or_default = [&](const char* key, double fallback) {
    const double value = rope.number(key, fallback);
    return value == 0 ? fallback : value;  // transformers: `or`
  };
  s.beta_fast = or_default("beta_fast", 32.0);
  s.beta_slow = or_default("beta_slow", 1.0);
  s.mscale = rope.number("mscale", 0.0);
  s.attention_factor = rope.number("attention_factor", 0.0);
  if (rope.find("attention_factor") && !(s.attention_factor > 0)) rope.wrong("attention_factor", "a number above 0");
  s.truncate = true_or_null(rope, "truncate", true);
}

// Some newer models give each kind of layer its own settings. None of our families does: transformers leaves such
// settings aside in those without layer_types, and cannot load the others.
void refuse_layer_types(const JsonFields& rope) {
  for (const char* type : {"full_attention", "sliding_attention", "chunked_attention", "linear_attention"})
    if (rope.find(type)) rope.wrong(type, "left out: settings for one kind of layer are not supported");
}

}  // namespace

void read_rope(const JsonFields& f, double default_theta, ModelConfig& c) {
  refuse_unless(f, "partial_rotary_factor", {1.0});
  c.rope_theta = f.number("rope_theta", default_theta);
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    const json* given = f.find(key);
    if (!given || given->empty()) continue;
    const JsonFields rope(*given, f.where() + ": " + key);
    refuse_layer_types(rope);
    refuse_unless(rope, "partial_rotary_factor", {1.0});
    c.rope_theta = rope.number("rope_theta", c.rope_theta);
    c.rope_scaling.kind = rope.string("rope_type", rope.string("type", "default"));
    if (c.rope_scaling.kind == "default")
      c.rope_scaling.kind = "none";
    else
      read_scaling(f, rope, c);
    return;
  }
}

void write_rope(const ModelConfig& c, ordered_json& j) {
  const auto& s = c.rope_scaling;
  ordered_json rope{{"rope_type", s.kind == "none" ? "default" : s.kind}};
  if (s.kind != "none") rope["factor"] = s.factor;
  if (s.kind == "llama3") {
    rope["low_freq_factor"] = s.low_frequency_factor;
    rope["high_freq_factor"] = s.high_frequency_factor;
  }
  if (s.kind == "yarn") {
    rope["beta_fast"] = s.beta_fast;
    rope["beta_slow"] = s.beta_slow;
    if (s.mscale != 0) rope["mscale"] = s.mscale;
    if (s.attention_factor != 0) rope["attention_factor"] = s.attention_factor;
    if (!s.truncate) rope["truncate"] = false;
  }
  if (s.mscale_all_dim != 0) rope["mscale_all_dim"] = s.mscale_all_dim;
  if (s.kind == "llama3" || s.kind == "yarn") rope["original_max_position_embeddings"] = s.original_positions;
  j["rope_scaling"] = nullptr;
  if (s.kind != "none") {
    j["rope_scaling"] = rope;
    j["rope_scaling"]["type"] = s.kind;  // the oldest spelling, which DeepSeek's own code reads
  }
  j["rope_theta"] = c.rope_theta;
  rope["rope_theta"] = c.rope_theta;
  j["rope_parameters"] = rope;
}

}  // namespace model
