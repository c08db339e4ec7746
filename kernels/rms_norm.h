// RMSNorm: y = x / sqrt(mean(x^2) + eps) * weight, over the last dimension.
//
// Source: Zhang and Sennrich, arXiv:1910.07467, Eq. 4. All in float32, rounded once to the output's dtype: others round
// twice (model/CONVENTIONS.md, "RMSNorm rounding").
// The sum of squares runs over 16 lanes (element i goes to lane i % 16) and one fixed tree.
#pragma once

#include "kernels/tensor.h"

namespace kernels {

struct RmsNormOutput {
  at::Tensor y;        // [N, D] of the wanted dtype
  at::Tensor inverse;  // float32 [N]: 1 / sqrt(mean(x^2) + eps), for the backward pass
};

// x float32 [N, D], rows may be strided views of a wider matrix (x.stride(0) >= D, x.stride(1) == 1); weight float32 [D].
RmsNormOutput rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, Dtype out);

// dx = inverse * (g - xhat * mean(g * xhat)), with g = dy * weight, xhat = x * inverse. dy, x float32 [N, D] -> dx float32 [N, D].
// dweight [D] += sum over rows of dy * xhat, one chain in row order; undefined: not wanted.
at::Tensor rms_norm_backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& inverse,
                             const at::Tensor& dweight);

}  // namespace kernels
