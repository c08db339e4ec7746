// Causal attention over spans of key rows: one op for decoding from a paged cache, chunked prefill, packed training
// batches and group trees (prompt rows once, branches after it).
//
// out[n, h] = sum_j softmax_j(scale * q[n, h] . k[j, h / (H / K)]) v[j, h / (H / K)], j over the positions 0..p of the
// row's segment (p - window < j when a window is set). Online softmax: Milakov and Gimelshein, arXiv:1805.02867.
//
// Keys are visited in order of absolute position, in tiles of 16 at absolute positions [16t, 16t + 16), so a row does
// the same arithmetic whether its keys come from a cache, a chunk or a tree. Keys and values are read in their stored
// dtype; all arithmetic is float32.
//
// Legend: N query rows, R key rows, H query heads, K key heads, dk and dv sizes of a key and a value.
#pragma once

#include <vector>

#include "kernels/tensor.h"

namespace kernels {

// `length` keys at positions first_position.. live in rows first_key_row.. of the key storage.
struct KeySpan {
  int64_t first_key_row = 0, first_position = 0, length = 0;
};

// Rows [first_row, first_row + rows) of the queries, at positions first_position.., see the keys of `spans`, which are
// in order, without gaps, from position 0 (or from any position that the window hides) to the last row's own.
struct AttentionSegment {
  int64_t first_row = 0, rows = 0, first_position = 0;
  int64_t group = 0;   // segments of one group are neighbours; only they may share key rows
  int64_t window = 0;  // 0: none
  std::vector<KeySpan> spans;
};

struct AttentionShape {
  int64_t heads = 0, key_heads = 0, key_dim = 0, value_dim = 0;
  float scale = 1.0f;
};

struct AttentionOutput {
  at::Tensor out;      // [N, H, dv] of keys' dtype; rows in no segment are 0
  at::Tensor log_sum;  // float32 [N, H]: m + log(l), for the backward pass
};

// q float32 [N, H, dk]; keys [R, K, dk]; values [R, K, dv], or undefined: then the value is the first dv elements of the
// key (MLA's absorbed form, where the key is latent | rope and the value is the latent).
AttentionOutput attention(const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values,
                          const std::vector<AttentionSegment>& segments, const AttentionShape& shape);

struct AttentionGradient {
  at::Tensor q;             // float32 [N, H, dk]
  at::Tensor keys, values;  // float32 [R, K, dk] and [R, K, dv] (undefined when values was)
};

// Sums over queries run in row order, then head order. dout float32 [N, H, dv].
AttentionGradient attention_backward(const at::Tensor& dout, const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values,
                                     const AttentionOutput& forward, const std::vector<AttentionSegment>& segments,
                                     const AttentionShape& shape);

}  // namespace kernels
