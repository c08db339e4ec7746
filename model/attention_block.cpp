// The attention half of a block: grouped-query attention, or MLA in its absorbed form.
#include <cmath>

#include "kernels/error.h"
#include "model/block.h"

namespace model {
namespace {

using kernels::Dtype;
using kernels::rounded;

std::string name(int64_t layer, const char* part) { return "model.layers." + std::to_string(layer) + ".self_attn." + part; }

kernels::AttentionShape shape_of(const ModelConfig& c) {
  if (c.attention == Attention::gqa)
    return {c.heads, c.key_heads, c.head_size, c.head_size, static_cast<float>(1.0 / std::sqrt(static_cast<double>(c.head_size)))};
  return {c.heads, 1, c.latent_rank + c.rope_size, c.latent_rank,
          static_cast<float>(1.0 / std::sqrt(static_cast<double>(c.nope_size + c.rope_size)))};
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
  const auto qkv = kernels::linear_many(t.norm.y, {&w.query, &w.key, &w.value});
  at::Tensor q = qkv[0], k = qkv[1];
  if (c.query_key_norm) {
    t.raw_query = q.view({n * c.heads, size});
    t.raw_key = k.view({n * c.key_heads, size});
    auto nq = kernels::rms_norm(t.raw_query, w.query_norm, c.norm_eps, Dtype::float32);
    auto nk = kernels::rms_norm(t.raw_key, w.key_norm, c.norm_eps, Dtype::float32);
    q = nq.y, k = nk.y, t.query_inverse = nq.inverse, t.key_inverse = nk.inverse;
  }
  t.query = q.view({n, c.heads, size});
  k = k.view({n, c.key_heads, size});
  kernels::rope_in_place(t.query, batch.positions.data(), weights.rope, 0);
  kernels::rope_and_store_key_rows(k, batch.positions.data(), weights.rope, 0, batch.key_rows.data(), storage.keys);
  kernels::store_key_rows(qkv[2].view({n, c.key_heads, size}), batch.key_rows.data(), storage.values);
  t.out = kernels::attention(t.query, storage.keys, storage.values, plan, shape_of(c));
  return kernels::linear_add(t.out.out.view({n, c.heads * size}), w.output, h);
}

at::Tensor mla_forward(const WeightSet& weights, int64_t layer, const TokenBatch& batch, const kernels::AttentionPlan& plan,
                       const at::Tensor& h, const KeyLayer& storage, AttentionTape& t) {
  const ModelConfig& c = weights.config;
  const BlockWeights& w = weights.blocks[layer];
  const int64_t n = batch.rows(), rank = c.latent_rank;
  at::Tensor q;
  if (c.query_rank > 0) {
    t.query_latent = kernels::linear(t.norm.y, w.query_down);
    t.query_latent_norm = kernels::rms_norm(t.query_latent, w.query_latent_norm, c.latent_norm_eps, weights.dtype);
    q = kernels::linear(t.query_latent_norm.y, w.query_up);
  } else {
    q = kernels::linear(t.norm.y, w.query);
  }
  q = q.view({n, c.heads, c.nope_size + c.rope_size});
  const at::Tensor key_value = kernels::linear(t.norm.y, w.key_value_down);
  t.latent = part(key_value, 0, rank);
  const auto normed = kernels::rms_norm(t.latent, w.latent_norm, c.latent_norm_eps, Dtype::float32);
  t.latent_inverse = normed.inverse;
  const at::Tensor key = joined(normed.y, part(key_value, rank, c.rope_size), 1);
  kernels::rope_and_store_key_rows(key, batch.positions.data(), weights.rope, rank, batch.key_rows.data(), storage.keys);

  t.nope = rounded(part(q, 0, c.nope_size), weights.dtype);
  t.query = joined(kernels::linear_heads(t.nope, w.key_up), part(q, c.nope_size, c.rope_size), c.heads);
  kernels::rope_in_place(t.query, batch.positions.data(), weights.rope, rank);
  t.out = kernels::attention(t.query, storage.keys, {}, plan, shape_of(c));
  t.heads_out = rounded(kernels::linear_heads(t.out.out, w.value_up), weights.dtype).view({n, c.heads * c.value_size});
  return kernels::linear_add(t.heads_out, w.output, h);
}

// The gradient of x through y = x W^T, with dW on the way. Goes on from `add_to` when it is defined.
at::Tensor linear_gradient(const at::Tensor& dy, const at::Tensor& x, const kernels::PackedWeight& w, const kernels::MatrixView& dw,
                           const at::Tensor& add_to) {
  kernels::linear_backward_weight(dy, x, dw);
  return kernels::linear_backward_input(dy, w, add_to);
}

at::Tensor gqa_backward(const WeightSet& weights, int64_t layer, const TokenBatch& batch, const kernels::AttentionPlan& plan,
                        const at::Tensor& dout, const AttentionTape& t, ParameterStore& store) {
  const ModelConfig& c = weights.config;
  const BlockWeights& w = weights.blocks[layer];
  const int64_t n = batch.rows(), size = c.head_size;
  const at::Tensor dheads = linear_gradient(rounded(dout, weights.dtype), t.out.out.view({n, c.heads * size}), w.output,
                                            store.gradient_view(name(layer, "o_proj.weight")), {});
  auto d = kernels::attention_backward(dheads, t.query, t.keys.keys, t.keys.values, t.out, plan, shape_of(c));
  d.keys = d.keys.narrow(0, 0, n), d.values = d.values.narrow(0, 0, n);  // a whole number of tiles was stored
  kernels::rope_in_place(d.q, batch.positions.data(), weights.rope, 0, true);
  kernels::rope_in_place(d.keys, batch.positions.data(), weights.rope, 0, true);
  at::Tensor dq = d.q.view({n * c.heads, size}), dk = d.keys.view({n * c.key_heads, size});
  if (c.query_key_norm) {
    dq = kernels::rms_norm_backward(dq, t.raw_query, w.query_norm, t.query_inverse, store.gradient_vector(name(layer, "q_norm.weight")));
    dk = kernels::rms_norm_backward(dk, t.raw_key, w.key_norm, t.key_inverse, store.gradient_vector(name(layer, "k_norm.weight")));
  }
  const int64_t width = c.key_heads * size;
  at::Tensor dx = linear_gradient(rounded(dq.view({n, c.heads * size}), weights.dtype), t.norm.y, w.query,
                                  store.gradient_view(name(layer, "q_proj.weight")), {});
  dx = linear_gradient(rounded(dk.view({n, width}), weights.dtype), t.norm.y, w.key, store.gradient_view(name(layer, "k_proj.weight")), dx);
  return linear_gradient(rounded(d.values.view({n, width}), weights.dtype), t.norm.y, w.value,
                         store.gradient_view(name(layer, "v_proj.weight")), dx);
}

at::Tensor mla_backward(const WeightSet& weights, int64_t layer, const TokenBatch& batch, const kernels::AttentionPlan& plan,
                        const at::Tensor& dout, const AttentionTape& t, ParameterStore& store) {
  const ModelConfig& c = weights.config;
  const BlockWeights& w = weights.blocks[layer];
  const Dtype dtype = weights.dtype;
  const int64_t n = batch.rows(), rank = c.latent_rank;
  float* kv_b = store.gradient_of(name(layer, "kv_b_proj.weight"));

  const at::Tensor dheads = linear_gradient(rounded(dout, dtype), t.heads_out, w.output, store.gradient_view(name(layer, "o_proj.weight")), {});
  const at::Tensor dvalue = rounded(dheads.view({n, c.heads, c.value_size}), dtype);
  kernels::linear_heads_backward_weight(dvalue, t.out.out, mla_value_up(c, kv_b));
  auto d = kernels::attention_backward(kernels::linear_heads_backward_input(dvalue, w.value_up), t.query, t.keys.keys, {}, t.out, plan,
                                       shape_of(c));
  d.keys = d.keys.narrow(0, 0, n);
  kernels::rope_in_place(d.q, batch.positions.data(), weights.rope, rank, true);
  kernels::rope_in_place(d.keys, batch.positions.data(), weights.rope, rank, true);

  const at::Tensor dabsorbed = rounded(part(d.q, 0, rank), dtype);
  kernels::linear_heads_backward_weight(dabsorbed, t.nope, mla_key_up(c, kv_b));
  const at::Tensor dq = joined(kernels::linear_heads_backward_input(dabsorbed, w.key_up), part(d.q, rank, c.rope_size), c.heads);
  const at::Tensor dq_rounded = rounded(dq.view({n, c.heads * (c.nope_size + c.rope_size)}), dtype);
  at::Tensor dx;
  if (c.query_rank > 0) {
    const at::Tensor dnormed = linear_gradient(dq_rounded, t.query_latent_norm.y, w.query_up,
                                               store.gradient_view(name(layer, "q_b_proj.weight")), {});
    const at::Tensor dlatent = kernels::rms_norm_backward(dnormed, t.query_latent, w.query_latent_norm, t.query_latent_norm.inverse,
                                                          store.gradient_vector(name(layer, "q_a_layernorm.weight")));
    dx = linear_gradient(rounded(dlatent, dtype), t.norm.y, w.query_down, store.gradient_view(name(layer, "q_a_proj.weight")), {});
  } else {
    dx = linear_gradient(dq_rounded, t.norm.y, w.query, store.gradient_view(name(layer, "q_proj.weight")), {});
  }
  const at::Tensor dkey = d.keys.view({n, rank + c.rope_size});
  const at::Tensor dlatent = kernels::rms_norm_backward(part(dkey, 0, rank), t.latent, w.latent_norm, t.latent_inverse,
                                                        store.gradient_vector(name(layer, "kv_a_layernorm.weight")));
  const at::Tensor dkey_value = joined(dlatent, part(dkey, rank, c.rope_size), 1).view({n, rank + c.rope_size});
  return linear_gradient(rounded(dkey_value, dtype), t.norm.y, w.key_value_down,
                         store.gradient_view(name(layer, "kv_a_proj_with_mqa.weight")), dx);
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
