#include "model/config.h"

#include <algorithm>
#include <cmath>

#include "kernels/error.h"
#include "model/families/family.h"

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
  if (s.kind != "linear" && s.kind != "llama3" && s.kind != "yarn")
    fail_usage("rope_scaling: is \"{}\", which is not supported. Supported: none, linear, llama3, yarn.", s.kind);
  check_positive("rope_scaling.factor", s.factor);
  if (s.kind == "linear") return;
  if (s.original_positions < 1)
    fail_usage("rope_scaling.original_positions: is {}, but must be 1 or more.", s.original_positions);
  if (s.kind == "llama3") {
    check_positive("rope_scaling.low_frequency_factor", s.low_frequency_factor);
    if (!(s.high_frequency_factor > s.low_frequency_factor) || !std::isfinite(s.high_frequency_factor))
      fail_usage("rope_scaling.high_frequency_factor: is {}, but must be above low_frequency_factor, {}.", s.high_frequency_factor,
                 s.low_frequency_factor);
    return;
  }
  check_positive("rope_scaling.beta_slow", s.beta_slow);
  if (!(s.beta_fast >= s.beta_slow) || !std::isfinite(s.beta_fast))
    fail_usage("rope_scaling.beta_fast: is {}, but must not be below beta_slow, {}.", s.beta_fast, s.beta_slow);
  if (c.rope_theta == 1.0) fail_usage("rope_theta: is 1, but yarn divides by its logarithm; it must be another number.");
  for (const auto& [name, value] : {std::pair("mscale", s.mscale), std::pair("mscale_all_dim", s.mscale_all_dim),
                                    std::pair("attention_factor", s.attention_factor)})
    if (!(value >= 0) || !std::isfinite(value))
      fail_usage("rope_scaling.{}: is {}, but must be 0 (not given) or above.", name, value);
}

// Ascending, without repetitions, each a layer of the model.
void check_layers(const char* name, const std::vector<int64_t>& layers, const ModelConfig& c) {
  for (size_t i = 0; i < layers.size(); ++i)
    if (layers[i] < 0 || layers[i] >= c.layers || (i > 0 && layers[i] <= layers[i - 1]))
      fail_usage("{}: has {}, but must hold layers from 0 to {}, in ascending order.", name, layers[i], c.layers - 1);
}

void check_window(const ModelConfig& c) {
  if (c.window < 0 || c.window > INT32_MAX)
    fail_usage("window: is {}, but must be 0 (all keys) or from 1 to {}.", c.window, INT32_MAX);
  check_layers("full_layers", c.full_layers, c);
  if (c.window == 0 && !c.full_layers.empty()) fail_usage("full_layers: is not empty, but there is no window; set window.");
}

void check_attention(const ModelConfig& c) {
  check_size("heads", c.heads);
  check_window(c);
  if (!(c.clip_qkv >= 0) || !std::isfinite(c.clip_qkv)) fail_usage("clip_qkv: is {}, but must be 0 (off) or above.", c.clip_qkv);
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
  if (r.groups > 1 && r.group_score == kernels::RouterConfig::GroupScore::two_largest && r.experts / r.groups < 2)
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
  check_size("moe_every", c.moe_every);
  check_layers("dense_layers", c.dense_layers, c);
  int64_t with_experts = 0;
  for (int64_t layer = 0; layer < c.layers; ++layer) with_experts += c.is_moe(layer) ? 1 : 0;
  if (with_experts < c.layers) check_even_size("dense_width", c.dense_width);
  if (r.experts == 0) return;
  if (with_experts == 0)
    fail_usage("experts: is {}, but first_dense_layers, moe_every and dense_layers leave them no layer.", r.experts);
  check_router(r);
  check_even_size("expert_width", c.expert_width);
  if (c.shared_experts < 0 || c.shared_experts > 1024)
    fail_usage("shared_experts: is {}, but must be from 0 to 1024.", c.shared_experts);
}

}  // namespace

void check(const ModelConfig& c) {
  check_size("vocab_size", c.vocab_size);
  if (c.layers < 1 || c.layers > 10000) fail_usage("layers: is {}, but must be from 1 to 10000.", c.layers);
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
