// The attention half of a block: grouped-query attention, or MLA in its absorbed form.
#include "model/block.h"
#include "model/lora/adapted_weights.h"
#include "model/rope_scaling.h"

namespace model {
namespace {

using kernels::Dtype;
using kernels::rounded;

std::string name(int64_t layer, const char* part) { return "model.layers." + std::to_string(layer) + ".self_attn." + part; }

kernels::AttentionShape shape_of(const ModelConfig& c) {
  const auto scale = static_cast<float>(attention_scale(c));
  if (c.attention == Attention::gqa) return {c.heads, c.key_heads, c.head_size, c.head_size, scale};
  return {c.heads, 1, c.latent_rank + c.rope_size, c.latent_rank, scale};
}

// x[..., first, first + size) as a contiguous tensor.
at::Tensor part(const at::Tensor& x, int64_t first, int64_t size) { return x.narrow(-1, first, size).contiguous(); }

at::Tensor joined(const at::Tensor& a, const at::Tensor& b, int64_t heads) {
  const int64_t n = a.size(0), left = a.size(-1), right = b.size(-1);
  at::Tensor out = kernels::empty_f32({n, heads, left + right});
  out.narrow(2, 0, left).copy_(a.view({n, heads, left}));
  out.narrow(2, left, right).copy_(b.view({n, heads, right}));
  return out;
}

at::Tensor gqa_forward(const WeightSet& weights, int64_t layer, const TokenBatch& batch, const kernels::AttentionPlan& plan,
                       const at::Tensor& h, const KeyLayer& storage, AttentionTape& t) {
  const ModelConfig& c = weights.config;
  const BlockWeights& w = weights.blocks[layer];
  const int64_t n = batch.rows(), size = c.head_size;
  const auto qkv =
      kernels::linear_many(t.norm.y, {&w.query, &w.key, &w.value}, {w.query_bias, w.key_bias, w.value_bias});
  at::Tensor q = add_low_rank(qkv[0], t.norm.y, w.adapters.query), k = add_low_rank(qkv[1], t.norm.y, w.adapters.key),
             v = add_low_rank(qkv[2], t.norm.y, w.adapters.value);
  if (c.norms_query_and_key()) {
    t.raw_query = q.view({q.numel() / w.query_norm.size(0), w.query_norm.size(0)});
    t.raw_key = k.view({k.numel() / w.key_norm.size(0), w.key_norm.size(0)});
    auto nq = kernels::rms_norm(t.raw_query, w.query_norm, c.norm_eps, Dtype::float32);
    auto nk = kernels::rms_norm(t.raw_key, w.key_norm, c.norm_eps, Dtype::float32);
    q = nq.y, k = nk.y, t.query_inverse = nq.inverse, t.key_inverse = nk.inverse;
  }
  if (c.clip_qkv > 0) {
    t.unclipped_query = q, t.unclipped_key = k, t.unclipped_value = v;
    q = kernels::clamped(q, c.clip_qkv), k = kernels::clamped(k, c.clip_qkv), v = kernels::clamped(v, c.clip_qkv);
  }
  t.query = q.view({n, c.heads, size});
  k = k.view({n, c.key_heads, size});
  kernels::rope_in_place(t.query, batch.positions.data(), weights.rope, 0);
  kernels::rope_and_store_key_rows(k, batch.positions.data(), weights.rope, 0, batch.key_rows.data(), storage.keys);
  kernels::store_key_rows(v.view({n, c.key_heads, size}), batch.key_rows.data(), storage.values);
  t.out = kernels::attention(t.query, storage.keys, storage.values, plan, shape_of(c));
  const at::Tensor heads_out = t.out.out.view({n, c.heads * size});
  return add_low_rank(kernels::linear_add(heads_out, w.output, h, w.output_bias), heads_out, w.adapters.output);
}

at::Tensor mla_forward(const WeightSet& weights, int64_t layer, const TokenBatch& batch, const kernels::AttentionPlan& plan,
                       const at::Tensor& h, const KeyLayer& storage, AttentionTape& t) {
  const ModelConfig& c = weights.config;
  const BlockWeights& w = weights.blocks[layer];
  const int64_t n = batch.rows(), rank = c.latent_rank;
  at::Tensor q;
  if (c.query_rank > 0) {
    t.query_latent = add_low_rank(kernels::linear(t.norm.y, w.query_down, w.query_down_bias), t.norm.y, w.adapters.query_down);
    t.query_latent_norm = kernels::rms_norm(t.query_latent, w.query_latent_norm, c.latent_norm_eps, weights.dtype);
    q = add_low_rank(kernels::linear(t.query_latent_norm.y, w.query_up), t.query_latent_norm.y, w.adapters.query_up);
  } else {
    q = add_low_rank(kernels::linear(t.norm.y, w.query), t.norm.y, w.adapters.query);
  }
  q = q.view({n, c.heads, c.nope_size + c.rope_size});
  const at::Tensor key_value =
      add_low_rank(kernels::linear(t.norm.y, w.key_value_down, w.key_value_down_bias), t.norm.y, w.adapters.key_value_down);
  t.latent = part(key_value, 0, rank);
  const auto normed = kernels::rms_norm(t.latent, w.latent_norm, c.latent_norm_eps, Dtype::float32);
  t.latent_inverse = normed.inverse;
  const at::Tensor key = joined(normed.y, part(key_value, rank, c.rope_size), 1);
  kernels::rope_and_store_key_rows(key, batch.positions.data(), weights.rope, rank, batch.key_rows.data(), storage.keys);

  t.nope = rounded(part(q, 0, c.nope_size), weights.dtype);
  const at::Tensor absorbed = add_low_rank(kernels::linear_heads(t.nope, w.key_up), t.nope, w.adapters.key_up);
  t.query = joined(absorbed, part(q, c.nope_size, c.rope_size), c.heads);
  kernels::rope_in_place(t.query, batch.positions.data(), weights.rope, rank);
  t.out = kernels::attention(t.query, storage.keys, {}, plan, shape_of(c));
  const at::Tensor values = add_low_rank(kernels::linear_heads(t.out.out, w.value_up), t.out.out, w.adapters.value_up);
  t.heads_out = rounded(values, weights.dtype).view({n, c.heads * c.value_size});
  return add_low_rank(kernels::linear_add(t.heads_out, w.output, h, w.output_bias), t.heads_out, w.adapters.output);
}

// The gradients of the products of one layer.
struct Products {
  ParameterStore& store;
  int64_t layer;
  Dtype dtype;

  // The gradient of x through the product, with those of its parameters on the way. Goes on from `add_to` when it is
  // defined. dy float32.
  at::Tensor gradient(const char* part, const at::Tensor& dy, const at::Tensor& x, const kernels::PackedWeight& w,
                      const LowRank& adapter, const at::Tensor& add_to = {}) const {
    const at::Tensor rounded_dy = rounded(dy, dtype);
    store.add_product_gradient(name(layer, part), rounded_dy, x);
    const at::Tensor dx = kernels::linear_backward_input(rounded_dy, w, add_to);
    if (adapter.defined()) low_rank_backward(rounded_dy, x, adapter, adapter_gradient(store, name(layer, part)), dx);
    return dx;
  }
};

at::Tensor gqa_backward(const WeightSet& weights, int64_t layer, const TokenBatch& batch, const kernels::AttentionPlan& plan,
                        const at::Tensor& dout, const AttentionTape& t, ParameterStore& store) {
  const ModelConfig& c = weights.config;
  const BlockWeights& w = weights.blocks[layer];
  const int64_t n = batch.rows(), size = c.head_size;
  const Products products{store, layer, weights.dtype};
  const at::Tensor dheads = products.gradient("o_proj", dout, t.out.out.view({n, c.heads * size}), w.output, w.adapters.output);
  auto d = kernels::attention_backward(dheads, t.query, t.keys.keys, t.keys.values, t.out, plan, shape_of(c));
  d.keys = d.keys.narrow(0, 0, n), d.values = d.values.narrow(0, 0, n);  // a whole number of tiles was stored
  kernels::rope_in_place(d.q, batch.positions.data(), weights.rope, 0, true);
  kernels::rope_in_place(d.keys, batch.positions.data(), weights.rope, 0, true);
  const int64_t query_width = c.heads * size, width = c.key_heads * size;
  at::Tensor dq = d.q.view({n, query_width}), dk = d.keys.view({n, width});
  const at::Tensor dv = d.values.view({n, width});
  if (c.clip_qkv > 0) {
    kernels::clamp_backward_in_place(dq, t.unclipped_query.view({n, query_width}), c.clip_qkv);
    kernels::clamp_backward_in_place(dk, t.unclipped_key.view({n, width}), c.clip_qkv);
    kernels::clamp_backward_in_place(dv, t.unclipped_value, c.clip_qkv);
  }
  if (c.norms_query_and_key()) {
    dq = dq.view(t.raw_query.sizes()), dk = dk.view(t.raw_key.sizes());
    dq = kernels::rms_norm_backward(dq, t.raw_query, w.query_norm, t.query_inverse, store.gradient_vector(name(layer, "q_norm.weight")));
    dk = kernels::rms_norm_backward(dk, t.raw_key, w.key_norm, t.key_inverse, store.gradient_vector(name(layer, "k_norm.weight")));
  }
  at::Tensor dx = products.gradient("q_proj", dq.view({n, query_width}), t.norm.y, w.query, w.adapters.query);
  dx = products.gradient("k_proj", dk.view({n, width}), t.norm.y, w.key, w.adapters.key, dx);
  return products.gradient("v_proj", dv, t.norm.y, w.value, w.adapters.value, dx);
}

at::Tensor mla_backward(const WeightSet& weights, int64_t layer, const TokenBatch& batch, const kernels::AttentionPlan& plan,
                        const at::Tensor& dout, const AttentionTape& t, ParameterStore& store) {
  const ModelConfig& c = weights.config;
  const BlockWeights& w = weights.blocks[layer];
  const Dtype dtype = weights.dtype;
  const int64_t n = batch.rows(), rank = c.latent_rank;
  const std::string key_value_up = name(layer, "kv_b_proj");
  float* kv_b = store.gradient_of(key_value_up + ".weight");
  MlaAdapterBackward adapter(store, key_value_up, w.adapters);

  const Products products{store, layer, dtype};
  const at::Tensor dheads = products.gradient("o_proj", dout, t.heads_out, w.output, w.adapters.output);
  const at::Tensor dvalue = rounded(dheads.view({n, c.heads, c.value_size}), dtype);
  if (kv_b) kernels::linear_heads_backward_weight(dvalue, t.out.out, mla_value_up(c, kv_b));
  const at::Tensor dlatent_out = kernels::linear_heads_backward_input(dvalue, w.value_up);
  adapter.value_half(dvalue, t.out.out, dlatent_out);
  auto d = kernels::attention_backward(dlatent_out, t.query, t.keys.keys, {}, t.out, plan, shape_of(c));
  d.keys = d.keys.narrow(0, 0, n);
  kernels::rope_in_place(d.q, batch.positions.data(), weights.rope, rank, true);
  kernels::rope_in_place(d.keys, batch.positions.data(), weights.rope, rank, true);

  const at::Tensor dabsorbed = rounded(part(d.q, 0, rank), dtype);
  if (kv_b) kernels::linear_heads_backward_weight(dabsorbed, t.nope, mla_key_up(c, kv_b));
  const at::Tensor dnope = kernels::linear_heads_backward_input(dabsorbed, w.key_up);
  adapter.key_half(dabsorbed, t.nope, dnope);
  const at::Tensor dq =
      joined(dnope, part(d.q, rank, c.rope_size), c.heads).view({n, c.heads * (c.nope_size + c.rope_size)});
  at::Tensor dx;
  if (c.query_rank > 0) {
    const at::Tensor dnormed = products.gradient("q_b_proj", dq, t.query_latent_norm.y, w.query_up, w.adapters.query_up);
    const at::Tensor dlatent = kernels::rms_norm_backward(dnormed, t.query_latent, w.query_latent_norm, t.query_latent_norm.inverse,
                                                          store.gradient_vector(name(layer, "q_a_layernorm.weight")));
    dx = products.gradient("q_a_proj", dlatent, t.norm.y, w.query_down, w.adapters.query_down);
  } else {
    dx = products.gradient("q_proj", dq, t.norm.y, w.query, w.adapters.query);
  }
  const at::Tensor dkey = d.keys.view({n, rank + c.rope_size});
  const at::Tensor dlatent = kernels::rms_norm_backward(part(dkey, 0, rank), t.latent, w.latent_norm, t.latent_inverse,
                                                        store.gradient_vector(name(layer, "kv_a_layernorm.weight")));
  const at::Tensor dkey_value = joined(dlatent, part(dkey, rank, c.rope_size), 1).view({n, rank + c.rope_size});
  return products.gradient("kv_a_proj_with_mqa", dkey_value, t.norm.y, w.key_value_down, w.adapters.key_value_down, dx);
}

}  // namespace

at::Tensor attention_forward(const WeightSet& weights, int64_t layer, const TokenBatch& batch, const kernels::AttentionPlan& plan,
                             const at::Tensor& h, const KeyLayer& storage, AttentionTape& tape) {
  tape.norm = kernels::rms_norm(h, weights.blocks[layer].attention_norm, weights.config.norm_eps, weights.dtype);
  tape.keys = storage;
  const auto own = weights.config.attention == Attention::gqa ? gqa_forward : mla_forward;
  return own(weights, layer, batch, plan, h, storage, tape);
}

at::Tensor attention_backward(const WeightSet& weights, int64_t layer, const TokenBatch& batch, const kernels::AttentionPlan& plan,
                              const at::Tensor& dout, const at::Tensor& h, const AttentionTape& tape, ParameterStore& store) {
  const auto own = weights.config.attention == Attention::gqa ? gqa_backward : mla_backward;
  const at::Tensor dnorm = own(weights, layer, batch, plan, dout, tape, store);
  return kernels::rms_norm_backward(dnorm, h, weights.blocks[layer].attention_norm, tape.norm.inverse,
                                    store.gradient_vector("model.layers." + std::to_string(layer) + ".input_layernorm.weight"));
}

}  // namespace model
