// The feed-forward half of a block: one SwiGLU layer, or routed experts plus shared experts.
#include "kernels/router_balance.h"
#include "kernels/swiglu.h"
#include "model/block.h"
#include "model/lora/adapted_weights.h"

namespace model {
namespace {

using kernels::rounded;

std::string layer_name(int64_t layer, const std::string& part) { return "model.layers." + std::to_string(layer) + "." + part; }

// h + the layer's output.
at::Tensor dense_forward(const at::Tensor& x, const BlockWeights& w, kernels::Dtype dtype, const at::Tensor& h, bool keep, DenseTape& t) {
  if (w.adapters.gate.defined() || w.adapters.up.defined()) {
    const auto out = kernels::linear_many(x, {&w.gate, &w.up}, {w.gate_bias, w.up_bias});
    t = {add_low_rank(out[0], x, w.adapters.gate), add_low_rank(out[1], x, w.adapters.up), {}};
    t.hidden = kernels::swiglu(t.gate, t.up, dtype);
  } else {
    const auto out = kernels::linear_swiglu(x, w.gate, w.up, dtype, keep, {w.gate_bias, w.up_bias});
    t = {out.gate, out.up, out.hidden};
  }
  return add_low_rank(kernels::linear_add(t.hidden, w.down, h, w.down_bias), t.hidden, w.adapters.down);
}

// The gradient of x through one product of a dense layer, with those of its parameters on the way. Goes on from `add_to`
// when it is defined.
at::Tensor product_gradient(const at::Tensor& dy, const at::Tensor& x, const kernels::PackedWeight& w, const LowRank& adapter,
                            const std::string& at, ParameterStore& store, const at::Tensor& add_to = {}) {
  store.add_product_gradient(at, dy, x);
  const at::Tensor dx = kernels::linear_backward_input(dy, w, add_to);
  if (adapter.defined()) low_rank_backward(dy, x, adapter, adapter_gradient(store, at), dx);
  return dx;
}

// The same for experts.
at::Tensor expert_gradient(const at::Tensor& dy, const at::Tensor& x, const kernels::PackedWeight& w, const LowRank& adapter,
                           const std::string& at, ParameterStore& store, const std::vector<int64_t>& offsets,
                           const at::Tensor& add_to = {}) {
  store.add_product_gradient(at, dy, x, offsets);
  const at::Tensor dx = kernels::linear_experts_backward_input(dy, w, offsets, add_to);
  if (adapter.defined()) low_rank_experts_backward(dy, x, adapter, adapter_gradient(store, at), dx, offsets);
  return dx;
}

// Goes on from add_to when it is defined.
at::Tensor dense_backward(const at::Tensor& dout, const at::Tensor& x, const BlockWeights& w, kernels::Dtype dtype, const DenseTape& t,
                          const std::string& at, ParameterStore& store, const at::Tensor& add_to) {
  const at::Tensor dhidden = product_gradient(rounded(dout, dtype), t.hidden, w.down, w.adapters.down, at + "down_proj", store);
  const auto d = kernels::swiglu_backward(dhidden, t.gate, t.up, dtype);
  const at::Tensor dx = product_gradient(d.gate, x, w.gate, w.adapters.gate, at + "gate_proj", store, add_to);
  return product_gradient(d.up, x, w.up, w.adapters.up, at + "up_proj", store, dx);
}

at::Tensor experts_forward(const WeightSet& weights, const BlockWeights& w, const std::vector<int64_t>& groups, FeedForwardTape& t) {
  const kernels::RouterConfig& router = weights.config.router;
  t.wide = kernels::widened(t.norm.y);
  t.routes = kernels::route(kernels::linear(t.wide, w.router), w.correction_bias, router);
  if (t.choices.defined()) kernels::replay_choices(t.routes, t.choices, router);
  t.groups = &groups;
  t.sorted = kernels::sort_by_expert(t.routes, groups, router.experts);
  t.expert_in = kernels::gather_rows(t.norm.y, t.sorted.rows.data(), static_cast<int64_t>(t.sorted.rows.size()));
  const auto product = [&](const at::Tensor& x, const kernels::PackedWeight& weight, const LowRank& adapter) {
    return add_low_rank_experts(kernels::linear_experts(x, weight, t.sorted.offsets), x, adapter, t.sorted.offsets);
  };
  t.experts.gate = product(t.expert_in, w.expert_gate, w.adapters.expert_gate);
  t.experts.up = product(t.expert_in, w.expert_up, w.adapters.expert_up);
  t.experts.hidden = kernels::swiglu(t.experts.gate, t.experts.up, weights.dtype);
  t.expert_out = product(t.experts.hidden, w.expert_down, w.adapters.expert_down);
  return kernels::combine_experts(t.expert_out, t.sorted, t.routes.weights);
}

at::Tensor experts_backward(const WeightSet& weights, const BlockWeights& w, const at::Tensor& dout, const FeedForwardTape& t,
                            const std::string& at, ParameterStore& store) {
  const auto& offsets = t.sorted.offsets;
  const auto combined = kernels::combine_experts_backward(dout, t.expert_out, t.sorted, t.routes.weights, weights.dtype);
  const at::Tensor dhidden = expert_gradient(combined.y, t.experts.hidden, w.expert_down, w.adapters.expert_down,
                                             at + "experts.down_proj", store, offsets);
  const auto d = kernels::swiglu_backward(dhidden, t.experts.gate, t.experts.up, weights.dtype);
  at::Tensor dentries =
      expert_gradient(d.gate, t.expert_in, w.expert_gate, w.adapters.expert_gate, at + "experts.gate_proj", store, offsets);
  dentries =
      expert_gradient(d.up, t.expert_in, w.expert_up, w.adapters.expert_up, at + "experts.up_proj", store, offsets, dentries);
  at::Tensor dx = kernels::zeros_f32({dout.size(0), dout.size(1)});
  kernels::scatter_add_rows(dentries, t.sorted.rows.data(), dx);
  at::Tensor dlogits = kernels::route_backward(combined.weights, t.routes, weights.config.router);
  if (t.balance_weight != 0) kernels::add_balance_gradient(t.routes, *t.groups, weights.config.router, t.balance_weight, dlogits);
  store.add_product_gradient(at + "gate", dlogits, t.wide);
  return kernels::linear_backward_input(dlogits, w.router, dx);
}

}  // namespace

at::Tensor feed_forward_forward(const WeightSet& weights, int64_t layer, const std::vector<int64_t>& groups, const at::Tensor& h,
                                bool keep, FeedForwardTape& tape) {
  const BlockWeights& w = weights.blocks[layer];
  tape.norm = kernels::rms_norm(h, w.feed_forward_norm, weights.config.norm_eps, weights.dtype);
  if (!weights.config.is_moe(layer)) return dense_forward(tape.norm.y, w, weights.dtype, h, keep, tape.dense);
  at::Tensor out = experts_forward(weights, w, groups, tape);
  if (weights.config.shared_experts > 0) out = dense_forward(tape.norm.y, w, weights.dtype, out, keep, tape.dense);
  kernels::add_in_place(out, h);
  return out;
}

at::Tensor feed_forward_backward(const WeightSet& weights, int64_t layer, const at::Tensor& dout, const at::Tensor& h,
                                 const FeedForwardTape& tape, ParameterStore& store) {
  const BlockWeights& w = weights.blocks[layer];
  const std::string at = layer_name(layer, "mlp.");
  at::Tensor dnorm;
  if (weights.config.is_moe(layer)) {
    dnorm = experts_backward(weights, w, dout, tape, at, store);
    if (weights.config.shared_experts > 0)
      dnorm = dense_backward(dout, tape.norm.y, w, weights.dtype, tape.dense, at + "shared_experts.", store, dnorm);
  } else {
    dnorm = dense_backward(dout, tape.norm.y, w, weights.dtype, tape.dense, at, store, {});
  }
  return kernels::rms_norm_backward(dnorm, h, w.feed_forward_norm, tape.norm.inverse,
                                    store.gradient_vector(layer_name(layer, "post_attention_layernorm.weight")));
}

}  // namespace model
