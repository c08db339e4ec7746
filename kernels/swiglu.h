// SwiGLU: y = silu(gate) * up, silu(z) = z / (1 + e^-z). Source: Shazeer, arXiv:2002.05202, Eq. 5.
#pragma once

#include "kernels/tensor.h"

namespace kernels {

at::Tensor swiglu(const at::Tensor& gate, const at::Tensor& up, Dtype out);  // float32 [N, F] each -> [N, F]

struct SwigluGradient {
  at::Tensor gate, up;  // [N, F] of the wanted dtype: they feed the next products
};
// dgate = dy * up * s * (1 + gate * (1 - s)), s = 1 / (1 + e^-gate); dup = dy * gate * s. dy float32 [N, F].
SwigluGradient swiglu_backward(const at::Tensor& dy, const at::Tensor& gate, const at::Tensor& up, Dtype out);

}  // namespace kernels
