// Metadata of a GGUF file -> ModelConfig.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "kernels/error.h"
#include "model/files/json_fields.h"
#include "model/gguf/gguf_import.h"
#include "model/rope_scaling.h"

namespace model {

using kernels::fail_usage;

namespace {

constexpr int64_t kLargest = int64_t{1} << 24;

// A float32 as the shortest decimal that gives it back: 1e-05, not 9.999999747378752e-06.
double shortest(double value) { return std::strtod(fmt::format("{}", static_cast<float>(value)).c_str(), nullptr); }

// The keys of one architecture, "llama.block_count" and so on.
class Keys {
 public:
  Keys(const GgufContent& gguf, const std::string& file) : f_(gguf.metadata, file), family_(f_.string("general.architecture")) {
    if (family_ != "llama" && family_ != "qwen2" && family_ != "qwen3")
      f_.wrong("general.architecture", "an architecture that is imported: llama, qwen2, qwen3");
  }
  const std::string& family() const { return family_; }
  const JsonFields& all() const { return f_; }
  bool has(const char* key) const { return f_.find(name(key).c_str()); }
  int64_t integer(const char* key, int64_t low, int64_t high, std::optional<int64_t> fallback = {}) const {
    return f_.integer(name(key).c_str(), low, high, fallback);
  }
  double number(const char* key, std::optional<double> fallback = {}) const {
    return shortest(f_.number(name(key).c_str(), fallback));
  }
  std::string string(const char* key, const std::string& fallback) const { return f_.string(name(key).c_str(), fallback); }
  [[noreturn]] void wrong(const char* key, const std::string& expectation) const { f_.wrong(name(key).c_str(), expectation); }

 private:
  std::string name(const char* key) const { return family_ + "." + key; }
  JsonFields f_;
  std::string family_;
};

// rope.scaling.*: linear and YaRN. Llama 3's own scaling comes as a tensor, below.
RopeScaling read_scaling(const Keys& f, const ModelConfig& c) {
  RopeScaling s;
  const auto kind = f.string("rope.scaling.type", "none");
  if (kind == "none") {
    const double factor = f.number("rope.scale_linear", 1.0);  // the key of old files
    return factor == 1.0 ? s : RopeScaling{.kind = "linear", .factor = factor};
  }
  if (kind != "linear" && kind != "yarn") f.wrong("rope.scaling.type", "a scaling that is imported: none, linear, yarn");
  s.kind = kind;
  s.factor = f.number("rope.scaling.factor");
  if (kind == "linear") return s;
  s.original_positions = f.integer("rope.scaling.original_context_length", 1, INT32_MAX, c.max_positions);
  s.beta_fast = f.number("rope.scaling.yarn_beta_fast", 32.0);
  s.beta_slow = f.number("rope.scaling.yarn_beta_slow", 1.0);
  s.attention_factor = f.number("rope.scaling.attn_factor", 0.0);
  for (const char* key : {"rope.scaling.yarn_log_multiplier", "rope.scaling.yarn_ext_factor", "rope.scaling.yarn_attn_factor"})
    if (f.has(key)) f.wrong(key, "absent: this part of YaRN is not imported");
  return s;
}

// Llama 3.1 and 3.2 carry their scaling as a tensor of divisors. Only the published settings (1, 4, 8192) are known.
RopeScaling find_scaling(const GgufTensor& divisors, ModelConfig config, const std::string& file) {
  if (divisors.elements != config.rotary_size() / 2)
    fail_usage("{}: rope_freqs.weight: has {} values, but must have {}, half the size of a head.", file, divisors.elements,
               config.rotary_size() / 2);
  std::vector<float> values(static_cast<size_t>(divisors.elements));
  dequantize(*divisors.type, divisors.data, divisors.elements, values.data());
  if (std::all_of(values.begin(), values.end(), [](float x) { return x == 1.0f; })) return {};
  const auto plain = rope_inverse_frequencies(config);
  config.rope_scaling = {.kind = "llama3", .factor = *std::max_element(values.begin(), values.end())};
  const auto scaled = rope_inverse_frequencies(config);
  bool same = true;
  for (size_t i = 0; same && i < plain.size(); ++i) same = std::abs(plain[i] / scaled[i] / values[i] - 1) < 1e-4;
  if (!same) fail_usage("{}: rope_freqs.weight: holds a scaling other than Llama 3's, which is not supported.", file);
  return config.rope_scaling;
}

void read_attention(const Keys& f, const GgufContent& gguf, ModelConfig& c) {
  c.heads = f.integer("attention.head_count", 1, kLargest);
  c.key_heads = f.integer("attention.head_count_kv", 1, kLargest, c.heads);
  if (!f.has("attention.key_length") && c.width % c.heads != 0)
    f.wrong("attention.head_count", fmt::format("a divisor of embedding_length, {}, when there is no key_length", c.width));
  c.head_size = f.integer("attention.key_length", 1, kLargest, c.width / c.heads);
  if (f.integer("attention.value_length", 1, kLargest, c.head_size) != c.head_size)
    f.wrong("attention.value_length", fmt::format("key_length, {}", c.head_size));
  if (f.integer("rope.dimension_count", 1, kLargest, c.head_size) != c.head_size)
    f.wrong("rope.dimension_count", fmt::format("the size of a head, {}", c.head_size));
  c.query_key_norm = c.family == "qwen3";
  c.query_key_value_bias = c.family == "qwen2" || gguf.find("blk.0.attn_q.bias");
  c.output_bias = gguf.find("blk.0.attn_output.bias");
  c.feed_forward_bias = gguf.find("blk.0.ffn_gate.bias");
  if (f.has("attention.sliding_window")) {
    if (c.family != "llama") f.wrong("attention.sliding_window", "absent: windows are imported for llama alone");
    c.family = "mistral";
    c.window = f.integer("attention.sliding_window", 1, INT32_MAX);
  }
}

void read_tokens(const JsonFields& f, ModelConfig& c) {
  c.bos_token_id = f.integer("tokenizer.ggml.bos_token_id", 0, c.vocab_size - 1, -1);
  c.pad_token_id = f.integer("tokenizer.ggml.padding_token_id", 0, c.vocab_size - 1, -1);
  for (const char* key : {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id"}) {
    const int64_t id = f.integer(key, 0, c.vocab_size - 1, -1);
    if (id >= 0 && std::find(c.eos_token_ids.begin(), c.eos_token_ids.end(), id) == c.eos_token_ids.end())
      c.eos_token_ids.push_back(id);
  }
}

}  // namespace

ModelConfig gguf_config(const GgufContent& gguf, const std::string& file) {
  const Keys f(gguf, file);
  ModelConfig c;
  c.family = f.family();
  if (f.integer("expert_count", 0, INT32_MAX, 0) != 0) f.wrong("expert_count", "0: experts are not imported");
  c.layers = f.integer("block_count", 1, static_cast<int64_t>(gguf.tensors.size()));
  c.first_dense_layers = c.layers;
  c.width = f.integer("embedding_length", 1, kLargest);
  c.dense_width = f.integer("feed_forward_length", 1, kLargest);
  c.max_positions = f.integer("context_length", 1, INT32_MAX);
  c.norm_eps = f.number("attention.layer_norm_rms_epsilon");
  c.rope_theta = f.number("rope.freq_base", 10000.0);
  read_attention(f, gguf, c);
  c.rope_scaling = read_scaling(f, c);
  const auto* embedding = gguf.find("token_embd.weight");
  if (!embedding) fail_usage("{}: tensor token_embd.weight is missing.", file);
  c.vocab_size = embedding->shape[0];
  c.tied_embedding = !gguf.find("output.weight");
  read_tokens(f.all(), c);
  try {
    check(c);
    if (const auto* divisors = gguf.find("rope_freqs.weight")) {
      if (c.rope_scaling.kind != "none")
        fail_usage("rope_freqs.weight: comes beside rope.scaling.type = {}; one of them must go.", c.rope_scaling.kind);
      c.rope_scaling = find_scaling(*divisors, c, file);
    }
  } catch (const kernels::UsageError& e) {
    const std::string what = e.what();
    if (what.starts_with(file)) throw;
    fail_usage("{}: {}", file, what);
  }
  return c;
}

}  // namespace model
