// The feed-forward half of a block: one SwiGLU layer, or routed experts plus shared experts.
#include "kernels/router_balance.h"
#include "kernels/swiglu.h"
#include "model/block.h"

namespace model {
namespace {

using kernels::rounded;

std::string layer_name(int64_t layer, const std::string& part) { return "model.layers." + std::to_string(layer) + "." + part; }

// h + the layer's output.
at::Tensor dense_forward(const at::Tensor& x, const BlockWeights& w, kernels::Dtype dtype, const at::Tensor& h, bool keep, DenseTape& t) {
  const auto out = kernels::linear_swiglu(x, w.gate, w.up, dtype, keep, {w.gate_bias, w.up_bias});
  t = {out.gate, out.up, out.hidden};
  return kernels::linear_add(t.hidden, w.down, h, w.down_bias);
}

// Goes on from add_to when it is defined.
at::Tensor dense_backward(const at::Tensor& dout, const at::Tensor& x, const BlockWeights& w, kernels::Dtype dtype, const DenseTape& t,
                          const std::string& at, ParameterStore& store, const at::Tensor& add_to) {
  const at::Tensor dy = rounded(dout, dtype);
  store.add_product_gradient(at + "down_proj", dy, t.hidden);
  const auto d = kernels::swiglu_backward(kernels::linear_backward_input(dy, w.down), t.gate, t.up, dtype);
  store.add_product_gradient(at + "gate_proj", d.gate, x);
  store.add_product_gradient(at + "up_proj", d.up, x);
  return kernels::linear_backward_input(d.up, w.up, kernels::linear_backward_input(d.gate, w.gate, add_to));
}

at::Tensor experts_forward(const WeightSet& weights, const BlockWeights& w, const std::vector<int64_t>& groups, FeedForwardTape& t) {
  const kernels::RouterConfig& router = weights.config.router;
  t.wide = kernels::widened(t.norm.y);
  t.routes = kernels::route(kernels::linear(t.wide, w.router), w.correction_bias, router);
  if (t.choices.defined()) kernels::replay_choices(t.routes, t.choices, router);
  t.groups = &groups;
  t.sorted = kernels::sort_by_expert(t.routes, groups, router.experts);
  t.expert_in = kernels::gather_rows(t.norm.y, t.sorted.rows.data(), static_cast<int64_t>(t.sorted.rows.size()));
  t.experts.gate = kernels::linear_experts(t.expert_in, w.expert_gate, t.sorted.offsets);
  t.experts.up = kernels::linear_experts(t.expert_in, w.expert_up, t.sorted.offsets);
  t.experts.hidden = kernels::swiglu(t.experts.gate, t.experts.up, weights.dtype);
  t.expert_out = kernels::linear_experts(t.experts.hidden, w.expert_down, t.sorted.offsets);
  return kernels::combine_experts(t.expert_out, t.sorted, t.routes.weights);
}

at::Tensor experts_backward(const WeightSet& weights, const BlockWeights& w, const at::Tensor& dout, const FeedForwardTape& t,
                            const std::string& at, ParameterStore& store) {
  const auto& offsets = t.sorted.offsets;
  const auto combined = kernels::combine_experts_backward(dout, t.expert_out, t.sorted, t.routes.weights, weights.dtype);
  kernels::linear_experts_backward_weight(combined.y, t.experts.hidden, store.gradient_view(at + "experts.down_proj.weight"), offsets);
  const auto d = kernels::swiglu_backward(kernels::linear_experts_backward_input(combined.y, w.expert_down, offsets), t.experts.gate,
                                          t.experts.up, weights.dtype);
  kernels::linear_experts_backward_weight(d.gate, t.expert_in, store.gradient_view(at + "experts.gate_proj.weight"), offsets);
  kernels::linear_experts_backward_weight(d.up, t.expert_in, store.gradient_view(at + "experts.up_proj.weight"), offsets);
  at::Tensor dentries = kernels::linear_experts_backward_input(d.gate, w.expert_gate, offsets);
  dentries = kernels::linear_experts_backward_input(d.up, w.expert_up, offsets, dentries);
  at::Tensor dx = kernels::zeros_f32({dout.size(0), dout.size(1)});
  kernels::scatter_add_rows(dentries, t.sorted.rows.data(), dx);
  at::Tensor dlogits = kernels::route_backward(combined.weights, t.routes, weights.config.router);
  if (t.balance_weight != 0) kernels::add_balance_gradient(t.routes, *t.groups, weights.config.router, t.balance_weight, dlogits);
  kernels::linear_backward_weight(dlogits, t.wide, store.gradient_view(at + "gate.weight"));
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
