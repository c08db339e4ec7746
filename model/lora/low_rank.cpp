#include "model/lora/low_rank.h"

#include "kernels/scaled.h"

namespace model {
namespace {

using kernels::MatrixView;
using kernels::PackedWeight;

bool per_head(const PackedWeight& w) { return w.count() > 1; }

at::Tensor as_rows(const at::Tensor& x, int64_t width) { return x.view({-1, width}); }
at::Tensor as_heads(const at::Tensor& x, int64_t heads, int64_t width) { return x.view({-1, heads, width}); }

// x W^T, flat: rows, or a row for each head.
at::Tensor product(const at::Tensor& x, const PackedWeight& w) {
  return per_head(w) ? kernels::linear_heads(as_heads(x, w.count(), w.in()), w) : kernels::linear(as_rows(x, w.in()), w);
}

// dy W.
at::Tensor product_backward(const at::Tensor& dy, const PackedWeight& w) {
  return per_head(w) ? kernels::linear_heads_backward_input(as_heads(dy, w.count(), w.out()), w)
                     : kernels::linear_backward_input(as_rows(dy, w.out()), w);
}

void add_weight_gradient(const at::Tensor& dy, const at::Tensor& x, const MatrixView& dw) {
  if (!dw.data) return;
  if (dw.count > 1) kernels::linear_heads_backward_weight(as_heads(dy, dw.count, dw.out), as_heads(x, dw.count, dw.in), dw);
  else kernels::linear_backward_weight(as_rows(dy, dw.out), as_rows(x, dw.in), dw);
}

// scale * (x A^T), rounded. The backward pass computes it again: it costs little and the tape need not hold it.
at::Tensor hidden(const at::Tensor& x, const LowRank& w) { return kernels::scaled(product(x, w.down), w.scale, w.up.dtype()); }

at::Tensor hidden_experts(const at::Tensor& x, const LowRank& w, const std::vector<int64_t>& offsets) {
  return kernels::scaled(kernels::linear_experts(x, w.down, offsets), w.scale, w.up.dtype());
}

}  // namespace

at::Tensor add_low_rank(const at::Tensor& y, const at::Tensor& x, const LowRank& w) {
  if (!w.defined()) return y;
  const at::Tensor u = hidden(x, w);
  if (!per_head(w.up)) return kernels::linear_add(as_rows(u, w.up.in()), w.up, as_rows(y, w.up.out())).view(y.sizes());
  kernels::add_in_place(y, product(u, w.up).view(y.sizes()));
  return y;
}

LowRankFlow low_rank_backward(const at::Tensor& dy, const at::Tensor& x, const LowRank& w, const LowRankGradient& gradient,
                              const at::Tensor& dx) {
  const LowRankFlow flow{hidden(x, w), kernels::scaled(product_backward(dy, w.up), w.scale, w.down.dtype())};
  add_weight_gradient(dy, flow.hidden, gradient.up);
  add_weight_gradient(flow.dhidden, x, gradient.down);
  if (per_head(w.down)) kernels::add_in_place(dx, product_backward(flow.dhidden, w.down).view(dx.sizes()));
  else kernels::linear_backward_input(as_rows(flow.dhidden, w.down.out()), w.down, as_rows(dx, w.down.in()));
  return flow;
}

at::Tensor add_low_rank_experts(const at::Tensor& y, const at::Tensor& x, const LowRank& w, const std::vector<int64_t>& offsets) {
  if (!w.defined()) return y;
  kernels::add_in_place(y, kernels::linear_experts(hidden_experts(x, w, offsets), w.up, offsets));
  return y;
}

void low_rank_experts_backward(const at::Tensor& dy, const at::Tensor& x, const LowRank& w, const LowRankGradient& gradient,
                               const at::Tensor& dx, const std::vector<int64_t>& offsets) {
  kernels::linear_experts_backward_weight(dy, hidden_experts(x, w, offsets), gradient.up, offsets);
  const at::Tensor dhidden =
      kernels::scaled(kernels::linear_experts_backward_input(dy, w.up, offsets), w.scale, w.down.dtype());
  kernels::linear_experts_backward_weight(dhidden, x, gradient.down, offsets);
  kernels::linear_experts_backward_input(dhidden, w.down, offsets, dx);
}

}  // namespace model
