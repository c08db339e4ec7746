// y = factor * x.
#pragma once

#include "kernels/tensor.h"

namespace kernels {

// x float32 -> `out`, in the shape of x. The factor is rounded to float32, the product once to `out`.
at::Tensor scaled(const at::Tensor& x, double factor, Dtype out);

}  // namespace kernels
