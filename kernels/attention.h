// Causal attention over spans of key rows: one op for decoding from a paged cache, chunked prefill, packed training
// batches and group trees (prompt rows once, branches after it).
//
// out[n, h] = sum_j softmax_j(scale * q[n, h] . k[j, h / (H / K)]) v[j, h / (H / K)], j over the positions 0..p of the
// row's segment; with a window p - window < j: `window` keys, its own included. Online softmax: arXiv:1805.02867.
//
// Keys are visited in order of absolute position, in steps of 64 at absolute positions [64t, 64t + 64) made of tiles of
// 16, so a row does the same arithmetic whether its keys come from a cache, a chunk or a tree. Keys and values are read
// in their stored dtype c. Products take c inputs (the query, the softmax weights and, in the backward pass, dout and the
// gradient of the scores are rounded to c where they enter one); sums, exp and the softmax's denominator are float32.
//
// Legend: N query rows, R key rows, H query heads, K key heads, dk and dv sizes of a key and a value.
#pragma once

#include <utility>
#include <vector>

#include "kernels/key_tiles.h"
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

// The segments of a batch with the storage row of every key looked up: made once, used by every layer.
class AttentionPlan {
 public:
  // `window`: of every segment that has none of its own; 0: none. Throws Error when a segment's spans leave a gap or end
  // too early.
  AttentionPlan(const std::vector<AttentionSegment>& segments, int64_t window = 0);

  struct Segment {
    int64_t first_row, rows, first_position, group, window;
    int64_t first_key_position, keys;  // positions of the keys
    size_t first_key, first_tile;      // of key_rows and key_tiles
  };
  const std::vector<Segment>& segments() const { return segments_; }
  const int64_t* key_rows(const Segment& s) const { return key_rows_.data() + s.first_key; }
  // For each 16 positions from a multiple of 16 on, the first key's to the last's: the storage tile that holds just these, in
  // order, or -1.
  const int64_t* key_tiles(const Segment& s) const { return key_tiles_.data() + s.first_tile; }
  int64_t rows() const { return rows_; }                    // query rows that it needs
  int64_t storage_rows() const { return storage_rows_; }    // key rows that it needs
  // Runs [first, end) of query rows below `rows` that are in no segment.
  std::vector<std::pair<int64_t, int64_t>> uncovered(int64_t rows) const;

 private:
  void find_tiles(int64_t first_position, size_t first_key);

  std::vector<Segment> segments_;
  std::vector<int64_t> key_rows_, key_tiles_;
  int64_t rows_ = 0, storage_rows_ = 0;
};

struct AttentionOutput {
  at::Tensor out;      // [N, H, dv] of keys' dtype; rows in no segment are 0
  at::Tensor log_sum;  // float32 [N, H]: m + log(l), for the backward pass
};

// q float32 [N, H, dk]; keys and values in tiles; values may be undefined: then the value is the first dv elements of the
// key (MLA's absorbed form, where the key is latent | rope and the value is the latent).
AttentionOutput attention(const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values,
                          const AttentionPlan& plan, const AttentionShape& shape);

struct AttentionGradient {
  at::Tensor q;             // float32 [N, H, dk]
  at::Tensor keys, values;  // float32 [R, K, dk] and [R, K, dv] (undefined when values was)
};

// Sums over queries run in row order, then head order, in pairs for bf16. dout float32 [N, H, dv].
AttentionGradient attention_backward(const at::Tensor& dout, const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values,
                                     const AttentionOutput& forward, const AttentionPlan& plan, const AttentionShape& shape);

}  // namespace kernels
