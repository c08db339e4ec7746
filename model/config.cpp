#include "model/config.h"

#include <algorithm>
#include <cmath>

#include "kernels/error.h"

namespace model {

using kernels::fail_usage;

namespace {

constexpr int64_t kLargestSize = int64_t{1} << 24;  // products of two sizes then stay far from overflow

void check_size(const char* name, int64_t value, int64_t low = 1) {
  if (value < low || value > kLargestSize) fail_usage("{}: is {}, but must be from {} to {}.", name, value, low, kLargestSize);
}

// bf16 products take the elements of a row in pairs.
void check_even_size(const char* name, int64_t value) {
  check_size(name, value);
  if (value % 2 != 0) fail_usage("{}: is {}, but must be even: products take its elements in pairs.", name, value);
}

void check_positive(const char* name, double value) {
  if (!(value > 0) || !std::isfinite(value)) fail_usage("{}: is {}, but must be a number above 0.", name, value);
}

void check_rope(const ModelConfig& c) {
  check_positive("rope_theta", c.rope_theta);
  const auto& s = c.rope_scaling;
  if (s.kind == "none") return;
  if (s.kind != "llama3") fail_usage("rope_scaling: is \"{}\", which is not supported yet. Supported: none, llama3.", s.kind);
  check_positive("rope_scaling.factor", s.factor);
  check_positive("rope_scaling.low_frequency_factor", s.low_frequency_factor);
  if (!(s.high_frequency_factor > s.low_frequency_factor) || !std::isfinite(s.high_frequency_factor))
    fail_usage("rope_scaling.high_frequency_factor: is {}, but must be above low_frequency_factor, {}.", s.high_frequency_factor,
               s.low_frequency_factor);
  if (s.original_positions < 1)
    fail_usage("rope_scaling.original_positions: is {}, but must be 1 or more.", s.original_positions);
}

void check_attention(const ModelConfig& c) {
  check_size("heads", c.heads);
  if (c.attention == Attention::gqa) {
    check_size("key_heads", c.key_heads);
    check_even_size("head_size", c.head_size);
    if (c.heads % c.key_heads != 0)
      fail_usage("key_heads: is {} and heads is {}; heads must be a multiple of key_heads.", c.key_heads, c.heads);
    return;
  }
  if (c.query_rank != 0) check_even_size("query_rank", c.query_rank);
  check_even_size("latent_rank", c.latent_rank);
  check_even_size("nope_size", c.nope_size);
  check_even_size("rope_size", c.rope_size);
  check_even_size("value_size", c.value_size);
}

void check_router(const kernels::RouterConfig& r) {
  check_size("experts", r.experts);
  if (r.active < 1 || r.active > r.experts)
    fail_usage("active_experts: is {}, but must be from 1 to the number of experts, {}.", r.active, r.experts);
  if (r.groups < 1 || r.experts % r.groups != 0)
    fail_usage("expert_groups: is {}, but must divide the number of experts, {}.", r.groups, r.experts);
  if (r.groups > 1 && r.experts / r.groups < 2)
    fail_usage("expert_groups: is {} for {} experts; a group's score needs at least two experts in it.", r.groups, r.experts);
  if (r.groups_kept < 1 || r.groups_kept > r.groups)
    fail_usage("expert_groups_kept: is {}, but must be from 1 to expert_groups, {}.", r.groups_kept, r.groups);
  if (r.active > r.groups_kept * (r.experts / r.groups))
    fail_usage("active_experts: is {}, but the {} kept groups hold only {} experts.", r.active, r.groups_kept,
               r.groups_kept * (r.experts / r.groups));
  check_positive("router_scale", r.scale);
}

void check_feed_forward(const ModelConfig& c) {
  const auto& r = c.router;
  if (c.first_dense_layers < 0 || c.first_dense_layers > c.layers)
    fail_usage("first_dense_layers: is {}, but must be from 0 to the number of layers, {}.", c.first_dense_layers, c.layers);
  if (r.experts == 0 || c.first_dense_layers > 0) check_even_size("dense_width", c.dense_width);
  if (r.experts == 0) return;
  check_router(r);
  check_even_size("expert_width", c.expert_width);
  if (c.shared_experts < 0 || c.shared_experts > 1024)
    fail_usage("shared_experts: is {}, but must be from 0 to 1024.", c.shared_experts);
}

// A model is saved as one of three families; each holds one set of parts.
void check_family(const ModelConfig& c) {
  const auto refuse = [&](bool bad, const char* what, const char* instead) {
    if (bad) fail_usage("family: is {}, which {}; {}.", c.family, what, instead);
  };
  const bool moe = c.router.experts > 0;
  const bool sigmoid = c.router.scoring == kernels::RouterConfig::Scoring::sigmoid;
  if (c.family == "llama" || c.family == "qwen3_moe") {
    refuse(c.attention != Attention::gqa, "has GQA attention only", "use deepseek_v3 for MLA");
    refuse(c.rope_interleaved, "has half-split rotary pairs only", "set rope_interleaved = false");
  }
  if (c.family == "llama") {
    refuse(moe, "is dense", "use qwen3_moe or deepseek_v3 for experts, or set experts = 0");
    refuse(c.query_key_norm, "has no norm of q and k", "set query_key_norm = false");
  } else if (c.family == "qwen3_moe") {
    refuse(!moe, "has experts", "use llama for a dense model, or set experts");
    refuse(!c.query_key_norm, "has a norm of q and k", "set query_key_norm = true");
    refuse(sigmoid, "has a softmax router", "use deepseek_v3 for a sigmoid router");
    refuse(c.router.groups != 1, "has no expert groups", "set expert_groups = 1");
    refuse(c.router.scale != 1.0, "does not scale the router's weights", "set router_scale = 1");
    refuse(c.shared_experts != 0, "has no shared experts", "set shared_experts = 0, or use deepseek_v3");
  } else if (c.family == "deepseek_v3") {
    refuse(c.attention != Attention::mla, "has MLA attention only", "use llama or qwen3_moe for GQA");
    refuse(moe && !sigmoid, "has a sigmoid router", "set the router's scoring to sigmoid");
    refuse(moe && c.shared_experts == 0, "has at least one shared expert", "set shared_experts = 1");
    refuse(c.latent_norm_eps != 1e-6, "fixes latent_norm_eps at 1e-6", "leave that setting out");
  } else {
    fail_usage("family: is \"{}\", which is not supported. Supported: llama, qwen3_moe, deepseek_v3.", c.family);
  }
}

}  // namespace

void check(const ModelConfig& c) {
  check_size("vocab_size", c.vocab_size);
  check_size("layers", c.layers);
  check_even_size("width", c.width);
  check_positive("norm_eps", c.norm_eps);
  check_positive("latent_norm_eps", c.latent_norm_eps);
  if (c.max_positions < 1 || c.max_positions > INT32_MAX)
    fail_usage("max_positions: is {}, but must be from 1 to {}.", c.max_positions, INT32_MAX);
  check_attention(c);
  check_feed_forward(c);
  check_family(c);
  check_rope(c);
  for (const int64_t id : c.eos_token_ids)
    if (id < 0 || id >= c.vocab_size)
      fail_usage("eos_token_id: is {}, but vocab_size is {}; ids go from 0 to vocab_size - 1.", id, c.vocab_size);
}

}  // namespace model
