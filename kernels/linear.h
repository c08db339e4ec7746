// Matrix products with weights packed once: y = x W^T, and both of its gradients.
//
// Every output element is one chain of sums along K in ascending order, whatever the number of rows, threads or the
// instruction set; so a row of y depends on its row of x alone. In bf16 the chain takes two elements at a time:
// acc = fma(x[2i], w[2i], fma(x[2i+1], w[2i+1], acc)); in float32 one at a time: acc = fma(x[i], w[i], acc).
// A bias, float32 [O] or undefined, is added to the finished chain, before anything else that a fused product does.
//
// Legend: N rows, O = out, I = in, C = count of matrices in one PackedWeight (heads or experts; 1 for a plain linear).
#pragma once

#include <vector>

#include "kernels/packed_weight.h"

namespace kernels {

// y = x W^T. x [N, I] of the weight's dtype -> float32 [N, O].
at::Tensor linear(const at::Tensor& x, const PackedWeight& w, const at::Tensor& bias = {});
// The same for several weights at once, all threads busy over all of them: y[i] = x W_i^T.
// `biases`: none, or one a weight.
std::vector<at::Tensor> linear_many(const at::Tensor& x, const std::vector<const PackedWeight*>& weights,
                                    const std::vector<at::Tensor>& biases = {});
// add(add_to, linear(x, w, bias)), bit for bit, without the pass over memory. add_to float32 [N, O].
at::Tensor linear_add(const at::Tensor& x, const PackedWeight& w, const at::Tensor& add_to, const at::Tensor& bias = {});
// swiglu(linear(x, gate), linear(x, up), out), bit for bit. gate and up of the result are undefined unless `keep`.
struct SwigluBiases {
  at::Tensor gate, up;
};
struct LinearSwiglu {
  at::Tensor gate, up;  // float32 [N, F]
  at::Tensor hidden;    // [N, F] of `out`
};
LinearSwiglu linear_swiglu(const at::Tensor& x, const PackedWeight& gate, const PackedWeight& up, Dtype out, bool keep,
                           const SwigluBiases& biases = {});
// One matrix a head: x [N, C, I] -> float32 [N, C, O].
at::Tensor linear_heads(const at::Tensor& x, const PackedWeight& w);
// One matrix an expert: rows [row_offsets[c], row_offsets[c+1]) of x [T, I] meet matrix c -> float32 [T, O].
at::Tensor linear_experts(const at::Tensor& x, const PackedWeight& w, const std::vector<int64_t>& row_offsets);

// dx = dy W, float32, in the shape of x. dy is given in the weight's dtype. With `add_to` defined, the chain goes on
// from add_to's values and writes there.
at::Tensor linear_backward_input(const at::Tensor& dy, const PackedWeight& w, const at::Tensor& add_to = {});
at::Tensor linear_heads_backward_input(const at::Tensor& dy, const PackedWeight& w);
at::Tensor linear_experts_backward_input(const at::Tensor& dy, const PackedWeight& w, const std::vector<int64_t>& row_offsets,
                                         const at::Tensor& add_to = {});

// dW += dy^T x, in place, one chain over the rows in ascending order that goes on from what dW holds: so a batch split
// at an even row gives the same bits as the whole. dy and x are of one dtype (the compute dtype). In bf16 rows go in
// pairs, and N must be even (row_offsets too).
void linear_backward_weight(const at::Tensor& dy, const at::Tensor& x, const MatrixView& dw);
void linear_heads_backward_weight(const at::Tensor& dy, const at::Tensor& x, const MatrixView& dw);
void linear_experts_backward_weight(const at::Tensor& dy, const at::Tensor& x, const MatrixView& dw,
                                    const std::vector<int64_t>& row_offsets);
// dbias += sum of the rows of dy, in place, in the order of dW. dy [N, O] of either dtype, dbias float32 [O].
void linear_backward_bias(const at::Tensor& dy, const at::Tensor& dbias);

// Row `ids[n]` of matrix 0, widened to float32: [N, I]. Throws Error if an id is outside [0, out).
at::Tensor embedding(const PackedWeight& w, const int32_t* ids, int64_t count);

}  // namespace kernels
