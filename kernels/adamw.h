// AdamW on flat float32 buffers. Source: Loshchilov and Hutter, arXiv:1711.05101, Algorithm 2 (as torch.optim.AdamW).
#pragma once

#include "kernels/tensor.h"

namespace kernels {

struct AdamwConfig {
  double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0.0;
};

// One step on elements [begin, end) of four flat tensors. g = gradient * gradient_scale;
// m = b1 m + (1-b1) g; v = b2 v + (1-b2) g^2; w -= lr * (wd * w + (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + eps)).
// `step` counts from 1. The gradient is left as it is.
void adamw_step(const at::Tensor& master, const at::Tensor& gradient, const at::Tensor& first_moment, const at::Tensor& second_moment,
                int64_t begin, int64_t end, const AdamwConfig& config, double gradient_scale, int64_t step);

// Sum of squares in float64, in fixed chunks of 4,096 elements, chunk sums added in order.
double sum_of_squares(const at::Tensor& x);
// False if any element is NaN or infinite.
bool all_finite(const at::Tensor& x);

}  // namespace kernels
