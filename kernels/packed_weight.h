// Weights in the layout that the products read, packed from float32 values that lie in memory or are made on the way.
//
// Legend: O = out, I = in, C = count of matrices in one PackedWeight (heads or experts; 1 for a plain linear).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "kernels/tensor.h"

namespace kernels {

// Where a float32 weight (or its gradient) lives: element (c, o, i) is data[c*count_stride + o*out_stride + i*in_stride].
// One of out_stride and in_stride is 1.
struct MatrixView {
  float* data = nullptr;
  int64_t count = 1, out = 0, in = 0;
  int64_t count_stride = 0, out_stride = 0, in_stride = 1;
};
MatrixView matrix_view(float* data, int64_t out, int64_t in);                // one row-major matrix
MatrixView matrix_view(float* data, int64_t count, int64_t out, int64_t in);  // `count` of them, one after another

// Compute weights in the layout that only the kernels know. One copy serves y = x W^T and dx = dy W.
// Immutable while shared; pack() writes it whole.
class PackedWeight {
 public:
  PackedWeight() = default;
  PackedWeight(Dtype dtype, int64_t count, int64_t out, int64_t in);  // in is even when dtype is bf16
  void pack(const MatrixView& source);                                // rounds to dtype; shape must agree

  Dtype dtype() const { return dtype_; }
  int64_t count() const { return count_; }
  int64_t out() const { return out_; }
  int64_t in() const { return in_; }
  int64_t bytes() const;
  bool defined() const { return data_ != nullptr; }
  PackedWeight rows(int64_t first, int64_t count) const;  // rows [first, first + count) of matrix 0, shared; first % 64 == 0

  const std::byte* panels(int64_t matrix) const;  // for kernels only
  int64_t panel_count() const { return (out_ + 63) / 64; }

 private:
  Dtype dtype_ = Dtype::float32;
  int64_t count_ = 0, out_ = 0, in_ = 0;
  std::shared_ptr<std::byte> data_;
};

// Gives elements [first, first + count) of a weight, counted from its element (0, 0, 0): a pointer to where their float32
// values lie, or `scratch`, filled. Packing asks for each element once, from all threads, so a reader may also change what
// it returns (the optimizer's step) or convert it (a file). A weight that lies in memory as bf16 can say where its bits
// are; packing to bf16 then copies them: equal bits to the way over float32 (but that a signalling NaN stays one).
class ReadRun {
 public:
  using Values = std::function<const float*(int64_t first, int64_t count, float* scratch)>;
  using Bits = std::function<const uint16_t*(int64_t first, int64_t count)>;

  ReadRun() = default;
  template <typename F, typename = std::enable_if_t<std::is_invocable_r_v<const float*, F&, int64_t, int64_t, float*>>>
  ReadRun(F values) : values_(std::move(values)) {}
  ReadRun(Values values, Bits bf16_bits) : values_(std::move(values)), bits_(std::move(bf16_bits)) {}

  const float* operator()(int64_t first, int64_t count, float* scratch) const { return values_(first, count, scratch); }
  bool has_bf16() const { return bits_ != nullptr; }
  const uint16_t* bf16(int64_t first, int64_t count) const { return bits_(first, count); }
  // The same weight from another element on.
  ReadRun from(int64_t offset) const;

 private:
  Values values_;
  Bits bits_;
};

struct PackJob {
  PackedWeight* into = nullptr;  // of the shape's size
  MatrixView shape;              // its `data` is not looked at
  ReadRun read;
};
// All of them in one pass: panels of all weights are handed out to the threads together.
void pack(const std::vector<PackJob>& jobs);

}  // namespace kernels
