// AdamW on flat float32 buffers. Source: Loshchilov and Hutter, arXiv:1711.05101, Algorithm 2 (as torch.optim.AdamW).
#pragma once

#include "kernels/packed_weight.h"

namespace kernels {

struct AdamwConfig {
  double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0.0;
};

// One step over flat tensors of one size. `step` counts from 1; the gradient is multiplied by gradient_scale (clipping).
struct AdamwStep {
  at::Tensor master, gradient, first_moment, second_moment;
  double gradient_scale = 1.0;
  int64_t step = 1;
};

// The step on elements [begin, end), and their gradient becomes 0: g = gradient * gradient_scale;
// m = b1 m + (1-b1) g; v = b2 v + (1-b2) g^2; w -= lr * (wd * w + (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + eps)).
void adamw_step(const AdamwStep& step, int64_t begin, int64_t end, const AdamwConfig& config);

// The same for a parameter that starts at element `begin`, done run by run while its new values are packed.
ReadRun adamw_reader(const AdamwStep& step, int64_t begin, const AdamwConfig& config);

// Sum of squares in float64, in fixed chunks of 4,096 elements, chunk sums added in order.
double sum_of_squares(const at::Tensor& x);

}  // namespace kernels
