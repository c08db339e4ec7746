// The low-rank part of a product (LoRA): y = x W^T + (scale * (x A^T)) B^T.
//
// Source: Hu et al., arXiv:2106.09685, section 4.1. Rounding points (c = compute dtype): A and B are c, x A^T is a float32
// sum, scale * (x A^T) is rounded once to c, its product with B^T is a float32 sum of its own, added to the float32 y.
// Only products of kernels/linear.h, so a row depends on its own row of x alone, and bits are equal everywhere. W is never
// changed and no merged copy is made.
#pragma once

#include <vector>

#include "kernels/linear.h"

namespace model {

struct LowRank {
  kernels::PackedWeight down;  // A [rank, in]; count > 1: one matrix a head or an expert
  kernels::PackedWeight up;    // B [out, rank]; the same
  double scale = 1;
  bool defined() const { return down.defined(); }
};

// Where the gradients of A and B go; a view of null: not wanted here.
struct LowRankGradient {
  kernels::MatrixView down, up;
};

// What met A and B on the way back, of c, in rows or heads as they have them.
struct LowRankFlow {
  at::Tensor hidden;   // scale * (x A^T)
  at::Tensor dhidden;  // scale * (dy B)
};

// y + (scale * (x A^T)) B^T, float32 in the shape of y; y itself where there is no low-rank part. May write over y.
// x [N, in] of c, or [N, heads, in] where `down` or `up` has a matrix for each head (MLA's halves).
at::Tensor add_low_rank(const at::Tensor& y, const at::Tensor& x, const LowRank& w);
// dA and dB go on from what they hold, and dx, float32 in the shape of x, becomes what it was plus the gradient through the
// low-rank part. dy, in the shape of y, and x are of c.
LowRankFlow low_rank_backward(const at::Tensor& dy, const at::Tensor& x, const LowRank& w, const LowRankGradient& gradient,
                              const at::Tensor& dx);

// The same with one pair of matrices an expert, see kernels::linear_experts.
at::Tensor add_low_rank_experts(const at::Tensor& y, const at::Tensor& x, const LowRank& w, const std::vector<int64_t>& offsets);
void low_rank_experts_backward(const at::Tensor& dy, const at::Tensor& x, const LowRank& w, const LowRankGradient& gradient,
                               const at::Tensor& dx, const std::vector<int64_t>& offsets);

}  // namespace model
