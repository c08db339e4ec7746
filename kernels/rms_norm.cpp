#include "kernels/rms_norm.h"

#include <algorithm>

#include "kernels/check.h"
#include "kernels/error.h"
#include "kernels/isa/table.h"
#include "kernels/thread_pool.h"

namespace kernels {
namespace {

constexpr int64_t kGrain = 16384;  // elements

int64_t row_grain(int64_t width) { return kGrain / std::max<int64_t>(1, width) + 1; }

// Rows may be part of wider ones, so this is not f32().
const float* strided_rows(const char* op, const at::Tensor& x) {
  require_matrix(op, "x", x);
  if (!x.device().is_cpu() || x.scalar_type() != at::kFloat) fail("{}: x must be float32 on the CPU.", op);
  if (x.size(1) > 1 && x.stride(1) != 1) fail("{}: the elements of a row of x {} must be neighbours.", op, shape_text(x));
  if (x.size(0) > 1 && x.stride(0) < x.size(1)) fail("{}: the rows of x {} overlap.", op, shape_text(x));
  return static_cast<const float*>(x.const_data_ptr());
}

}  // namespace

RmsNormOutput rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, Dtype out) {
  const float* from = strided_rows("rms_norm", x);
  const int64_t rows = x.size(0), width = x.size(1), ldx = x.stride(0);
  require_shape("rms_norm", "weight", weight, {width});
  RmsNormOutput result{empty_of(out, {rows, width}), empty_f32({rows})};
  const float* w = f32(weight);
  float* inverse = f32(result.inverse);
  const auto& table = cpu_kernels();
  const auto run = [&](auto* y, auto kernel) {
    parallel_ranges(rows, row_grain(width), [&](int64_t n, int64_t end) {
      kernel(from + n * ldx, ldx, w, y + n * width, inverse + n, end - n, width, static_cast<float>(eps));
    });
  };
  if (out == Dtype::bf16) run(bf16(result.y), table.rms_norm_bf16);
  else run(f32(result.y), table.rms_norm_f32);
  return result;
}

at::Tensor rms_norm_backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& inverse,
                             const at::Tensor& dweight) {
  const char* op = "rms_norm_backward";
  const float* from = strided_rows(op, x);
  const int64_t rows = x.size(0), width = x.size(1), ldx = x.stride(0);
  require_shape(op, "dy", dy, {rows, width});
  require_shape(op, "weight", weight, {width});
  require_shape(op, "inverse", inverse, {rows});
  if (dweight.defined()) require_shape(op, "dweight", dweight, {width});
  auto dx = empty_f32({rows, width});
  const float *g = f32(dy), *w = f32(weight), *inv = f32(inverse);
  float* to = f32(dx);
  const auto& table = cpu_kernels();
  parallel_ranges(rows, row_grain(width), [&](int64_t n, int64_t end) {
    table.rms_norm_backward(g + n * width, from + n * ldx, ldx, w, inv + n, to + n * width, end - n, width);
  });
  if (!dweight.defined()) return dx;
  float* dw = f32(dweight);
  // Ranges begin at multiples of 16 columns: a thread then writes whole cache lines.
  parallel_ranges((width + 15) / 16, std::max<int64_t>(1, kGrain / 16 / std::max<int64_t>(1, rows)), [&](int64_t b, int64_t end) {
    const int64_t c = b * 16, columns = std::min(width, end * 16) - c;
    table.rms_norm_backward_weight(g + c, width, from + c, ldx, inv, dw + c, rows, columns);
  });
  return dx;
}

}  // namespace kernels
