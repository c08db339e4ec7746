// The choice of experts for each row, in float32. Where implementations differ: model/CONVENTIONS.md, "Router".
//
// softmax: s = softmax(logits) (Qwen3-MoE). sigmoid: s = sigmoid(logits) (DeepSeek-V3 report, Eq. 13 to 16).
// The k largest of s + correction_bias are chosen, out of the best `groups_kept` of `groups` expert groups (a group's
// score is the sum of its two largest, or its largest; others are masked with -inf). Ties go to the lower expert id. The
// weight is s, without the bias, divided by the chosen ones' sum (+ 1e-20, DeepSeek) when `normalize`, times `scale`.
#pragma once

#include <vector>

#include "kernels/router_config.h"
#include "kernels/tensor.h"

namespace kernels {

struct Routes {
  at::Tensor experts;  // int32 [N, k], ascending expert id in each row: the order of the sum
  at::Tensor weights;  // float32 [N, k]
  at::Tensor scores;   // float32 [N, E]: s
};

// logits float32 [N, E]; correction_bias float32 [E] or undefined.
Routes route(const at::Tensor& logits, const at::Tensor& correction_bias, const RouterConfig& config);

// Gradient through the weights at fixed choices: dweights float32 [N, k] -> dlogits float32 [N, E].
at::Tensor route_backward(const at::Tensor& dweights, const Routes& routes, const RouterConfig& config);

// Rows grouped by expert with a stable counting sort: entry t is (row, slot) of the routes.
struct ExpertRows {
  std::vector<int64_t> offsets;  // [E + 1]: entries of expert e; each even
  std::vector<int64_t> rows;     // [T] source row, or -1 for padding
  std::vector<int64_t> slots;    // [T] slot in the row's routes, or -1
  std::vector<int64_t> entry_of; // [N * k] entry of (row, slot), or -1 for a row that takes no part
};

// `row_groups[n]` is the group id of row n in ascending order, or -1 for padding rows, which go to no expert. Each
// expert's entries are padded to an even count at every change of group, so dW pairs never span two groups.
ExpertRows sort_by_expert(const Routes& routes, const std::vector<int64_t>& row_groups, int64_t experts);

// out[n] = sum over slots, ascending expert id, of weights[n, slot] * y[entry]. y float32 [T, D] -> float32 [N, D].
at::Tensor combine_experts(const at::Tensor& y, const ExpertRows& sorted, const at::Tensor& weights);

struct CombineGradient {
  at::Tensor y;        // [T, D] of the wanted dtype: weights[n, slot] * dout[n]; padding entries 0
  at::Tensor weights;  // float32 [N, k]: dout[n] . y[entry]
};
CombineGradient combine_experts_backward(const at::Tensor& dout, const at::Tensor& y, const ExpertRows& sorted,
                                         const at::Tensor& weights, Dtype out);

}  // namespace kernels
