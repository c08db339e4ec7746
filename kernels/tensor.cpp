#include "kernels/tensor.h"

#include <ATen/EmptyTensor.h>

#include <algorithm>
#include <cstring>

#include "kernels/check.h"
#include "kernels/error.h"
#include "kernels/isa/table.h"
#include "kernels/memory.h"
#include "kernels/thread_pool.h"

namespace kernels {
namespace {

constexpr int64_t kGrain = 16384;      // elements: below this a second thread costs more than it saves
constexpr int64_t kColumnGrain = 64;

at::Tensor empty_cpu(at::IntArrayRef shape, at::ScalarType type) {
  use_block_allocator();
  return at::Tensor(at::detail::empty_cpu(shape, type));
}

at::Tensor zeros_cpu(at::IntArrayRef shape, at::ScalarType type) {
  auto x = empty_cpu(shape, type);
  if (x.numel() > 0) std::memset(x.mutable_data_ptr(), 0, static_cast<size_t>(x.nbytes()));
  return x;
}

at::ScalarType scalar_type(Dtype dtype) { return dtype == Dtype::bf16 ? at::kBFloat16 : at::kFloat; }
at::IntArrayRef shape_of(std::initializer_list<int64_t> shape) { return {shape.begin(), shape.size()}; }

void* checked(const at::Tensor& x, at::ScalarType type, const char* want) {
  if (!x.defined()) fail("a tensor of {} is wanted, but it is undefined.", want);
  if (!x.device().is_cpu())
    fail("the tensor is on {} but these are CPU kernels; move the tensor to the CPU.", x.device().str());
  if (x.scalar_type() != type)
    fail("the tensor {} holds {}, but {} is wanted.", shape_text(x), c10::toString(x.scalar_type()), want);
  if (!x.is_contiguous())
    fail("the tensor {} is a strided view; it must be contiguous.", shape_text(x));
  return x.mutable_data_ptr();
}

void require_same_shape(const char* op, const at::Tensor& x, const at::Tensor& y) {
  if (x.sizes() != y.sizes()) fail("{}: x is {} and y is {}; they must be equal.", op, shape_text(x), shape_text(y));
}

int64_t row_width(const char* op, const at::Tensor& x) {
  if (x.dim() < 1) fail("{}: a scalar has no rows.", op);
  int64_t width = 1;
  for (int64_t i = 1; i < x.dim(); ++i) width *= x.size(i);
  return width;
}

void require_rows_below(const char* op, const int64_t* rows, int64_t count, int64_t limit) {
  for (int64_t i = 0; i < count; ++i)
    if (rows[i] >= limit) fail("{}: rows[{}] is {}, but there are {} rows.", op, i, rows[i], limit);
}

void* raw(const at::Tensor& x) { return dtype_of(x) == Dtype::bf16 ? static_cast<void*>(bf16(x)) : f32(x); }

// Threads split columns: a row named twice is then written in the order of i on any number of threads.
// body(i, row, first column, columns)
template <typename Body>
void each_named_row(const char* op, const at::Tensor& x, const int64_t* rows, const at::Tensor& into, Body body) {
  const int64_t width = row_width(op, into), count = x.size(0);
  if (row_width(op, x) != width)
    fail("{}: x is {} and into is {}; their rows must be of one size.", op, shape_text(x), shape_text(into));
  require_rows_below(op, rows, count, into.size(0));
  const int64_t grain = std::max(kColumnGrain, kGrain / std::max<int64_t>(1, count));
  parallel_ranges(width, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = 0; i < count; ++i)
      if (rows[i] >= 0) body(i, rows[i], begin, end - begin);
  });
}

}  // namespace

at::Tensor empty_f32(std::initializer_list<int64_t> shape) { return empty_cpu(shape_of(shape), at::kFloat); }
at::Tensor zeros_f32(std::initializer_list<int64_t> shape) { return zeros_cpu(shape_of(shape), at::kFloat); }
at::Tensor empty_i32(std::initializer_list<int64_t> shape) { return empty_cpu(shape_of(shape), at::kInt); }
at::Tensor empty_of(Dtype dtype, std::initializer_list<int64_t> shape) { return empty_cpu(shape_of(shape), scalar_type(dtype)); }
at::Tensor zeros_of(Dtype dtype, std::initializer_list<int64_t> shape) { return zeros_cpu(shape_of(shape), scalar_type(dtype)); }

Dtype dtype_of(const at::Tensor& x) {
  if (!x.defined()) fail("a tensor of float32 or bf16 is wanted, but it is undefined.");
  if (x.scalar_type() == at::kFloat) return Dtype::float32;
  if (x.scalar_type() == at::kBFloat16) return Dtype::bf16;
  fail("the tensor {} holds {}; the kernels take float32 and bf16.", shape_text(x), c10::toString(x.scalar_type()));
}

float* f32(const at::Tensor& x) { return static_cast<float*>(checked(x, at::kFloat, "float32")); }
int32_t* i32(const at::Tensor& x) { return static_cast<int32_t*>(checked(x, at::kInt, "int32")); }
uint16_t* bf16(const at::Tensor& x) { return static_cast<uint16_t*>(checked(x, at::kBFloat16, "bf16")); }

void add_in_place(const at::Tensor& x, const at::Tensor& y) {
  float* a = f32(x);
  const float* b = f32(y);
  require_same_shape("add_in_place", x, y);
  const auto& table = cpu_kernels();
  parallel_ranges(x.numel(), kGrain, [&](int64_t i, int64_t end) { table.add(a + i, b + i, a + i, end - i); });
}

at::Tensor add(const at::Tensor& x, const at::Tensor& y) {
  const float *a = f32(x), *b = f32(y);
  require_same_shape("add", x, y);
  auto out = empty_cpu(x.sizes(), at::kFloat);
  float* c = f32(out);
  const auto& table = cpu_kernels();
  parallel_ranges(x.numel(), kGrain, [&](int64_t i, int64_t end) { table.add(a + i, b + i, c + i, end - i); });
  return out;
}

at::Tensor rounded(const at::Tensor& x, Dtype dtype) {
  const float* from = f32(x);
  if (dtype == Dtype::float32) return x;
  auto out = empty_cpu(x.sizes(), at::kBFloat16);
  uint16_t* to = bf16(out);
  parallel_ranges(x.numel(), kGrain, [&](int64_t i, int64_t end) { cpu_kernels().round_to_bf16(from + i, to + i, end - i); });
  return out;
}

at::Tensor widened(const at::Tensor& x) {
  if (dtype_of(x) == Dtype::float32) return x;
  const uint16_t* from = bf16(x);
  auto out = empty_cpu(x.sizes(), at::kFloat);
  float* to = f32(out);
  parallel_ranges(x.numel(), kGrain, [&](int64_t i, int64_t end) { cpu_kernels().widen_bf16(from + i, to + i, end - i); });
  return out;
}

at::Tensor clamped(const at::Tensor& x, double limit) {
  const float* from = f32(x);
  auto out = empty_cpu(x.sizes(), at::kFloat);
  float* to = f32(out);
  parallel_ranges(x.numel(), kGrain, [&](int64_t i, int64_t end) {
    cpu_kernels().clamp(from + i, static_cast<float>(limit), to + i, end - i);
  });
  return out;
}

void clamp_backward_in_place(const at::Tensor& dy, const at::Tensor& x, double limit) {
  float* to = f32(dy);
  const float* from = f32(x);
  require_same_shape("clamp_backward_in_place", dy, x);
  parallel_ranges(x.numel(), kGrain, [&](int64_t i, int64_t end) {
    cpu_kernels().clamp_backward(from + i, static_cast<float>(limit), to + i, end - i);
  });
}

at::Tensor gather_rows(const at::Tensor& x, const int64_t* rows, int64_t count) {
  const auto* from = static_cast<const std::byte*>(raw(x));
  const int64_t width = row_width("gather_rows", x), bytes = width * bytes_of(dtype_of(x));
  require_rows_below("gather_rows", rows, count, x.size(0));
  auto shape = x.sizes().vec();
  shape[0] = count;
  auto out = empty_cpu(shape, x.scalar_type());
  auto* to = static_cast<std::byte*>(raw(out));
  parallel_ranges(count, kGrain / std::max<int64_t>(1, width) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      if (rows[i] < 0) std::memset(to + i * bytes, 0, static_cast<size_t>(bytes));
      else std::memcpy(to + i * bytes, from + rows[i] * bytes, static_cast<size_t>(bytes));
    }
  });
  return out;
}

void scatter_add_rows(const at::Tensor& x, const int64_t* rows, const at::Tensor& into) {
  const float* from = f32(x);
  float* to = f32(into);
  const int64_t width = row_width("scatter_add_rows", into);
  const auto& table = cpu_kernels();
  each_named_row("scatter_add_rows", x, rows, into, [&](int64_t i, int64_t row, int64_t column, int64_t columns) {
    float* sum = to + row * width + column;
    table.add(sum, from + i * width + column, sum, columns);
  });
}

}  // namespace kernels
