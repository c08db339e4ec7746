// The gradients of y = x W^T: dx = dy W and dW += dy^T x.
#include <algorithm>

#include "kernels/check.h"
#include "kernels/isa/table.h"
#include "kernels/linear_operands.h"
#include "kernels/thread_pool.h"

namespace kernels {
namespace {

constexpr int64_t kReductionBlock = 1024;  // rows of dy and x that one pass of dW reads

// dx[m, k] = sum over n of dy[m, n] W[n, k]: the same product, with panels of 64 columns k made from the packed weight.
void run_backward_input(const std::vector<Job>& jobs, const PackedWeight& w, bool accumulate) {
  const CpuKernels& cpu = cpu_kernels();
  const int64_t element = bytes_of(w.dtype()), in_panels = (w.in() + kPanel - 1) / kPanel;
  struct Piece { int64_t job, row, rows, panel; };
  std::vector<Piece> pieces;
  for (size_t j = 0; j < jobs.size(); ++j) {
    // Making a panel costs as much as about 12 rows, so a block of rows is large unless threads would idle.
    const int64_t rows = jobs[j].x.rows;
    const int64_t wanted = std::max<int64_t>(1, 4 * threads() / std::max<int64_t>(1, in_panels * static_cast<int64_t>(jobs.size())));
    const int64_t block = std::max<int64_t>(kRowBlock, round_up((rows + wanted - 1) / wanted, 6));
    for (int64_t row = 0; row < rows; row += block)
      for (int64_t p = 0; p < in_panels; ++p) pieces.push_back({static_cast<int64_t>(j), row, std::min(block, rows - row), p});
  }
  parallel_for(static_cast<int64_t>(pieces.size()), [&](int64_t i) {
    const Piece& piece = pieces[i];
    const Job& job = jobs[piece.job];
    const int64_t cols = std::min(kPanel, w.in() - piece.panel * kPanel);
    float* dx = job.y + piece.row * job.y_stride + piece.panel * kPanel;
    std::byte* scratch = thread_scratch(kReductionBlock * kPanel * element);
    for (int64_t n = 0; n < w.out(); n += kReductionBlock) {
      const int64_t count = std::min(kReductionBlock, w.out() - n);
      const std::byte* dy = job.x.data + (piece.row * job.x.stride + n) * element;
      const bool go_on = accumulate || n > 0;
      if (w.dtype() == Dtype::bf16) {
        auto* panel = reinterpret_cast<uint16_t*>(scratch);
        cpu.transpose_panel_bf16(reinterpret_cast<const uint16_t*>(w.panels(job.matrix)), w.in() / 2, n, round_up(count, 2),
                                 piece.panel * kPanel, cols, panel);
        cpu.product_bf16(reinterpret_cast<const uint16_t*>(dy), job.x.stride, panel, round_up(count, 2) / 2, dx, job.y_stride,
                         piece.rows, cols, go_on, nullptr);
      } else {
        auto* panel = reinterpret_cast<float*>(scratch);
        cpu.transpose_panel_f32(reinterpret_cast<const float*>(w.panels(job.matrix)), w.in(), n, count, piece.panel * kPanel, cols,
                                panel);
        cpu.product_f32(reinterpret_cast<const float*>(dy), job.x.stride, panel, count, dx, job.y_stride, piece.rows, cols, go_on,
                        nullptr);
      }
    }
  });
}

// One weight gradient: c[a, b] += sum over rows of left[row, a] * right[row, b].
struct GradientJob {
  Rows left, right;
  int64_t left_width = 0, right_width = 0;
  float* c = nullptr;
  int64_t c_stride = 0;
  // Elements from the start of the shared scratch: left's transpose, and right as panels of 64 columns.
  int64_t transposed = 0, panels = 0;

  // A little more than the rows: with a power of two, all rows of a tile would fall on the same cache sets.
  int64_t stride() const { return round_up(left.rows, 32) + 32; }
  int64_t panel_count() const { return (right_width + kPanel - 1) / kPanel; }
};

struct GradientPiece { int64_t job, first, count, panel; };

void arrange_left(const CpuKernels& cpu, Dtype dtype, const GradientJob& job, int64_t first, int64_t count, std::byte* scratch) {
  const std::byte* from = job.left.data + first * bytes_of(dtype);
  std::byte* to = scratch + (job.transposed + first * job.stride()) * bytes_of(dtype);
  if (dtype == Dtype::bf16)
    cpu.transpose_u16(reinterpret_cast<const uint16_t*>(from), job.left.stride, job.left.rows, count,
                      reinterpret_cast<uint16_t*>(to), job.stride());
  else
    cpu.transpose_u32(reinterpret_cast<const uint32_t*>(from), job.left.stride, job.left.rows, count,
                      reinterpret_cast<uint32_t*>(to), job.stride());
}

void arrange_right(const CpuKernels& cpu, Dtype dtype, const GradientJob& job, int64_t panel, std::byte* scratch) {
  const int64_t rows = job.right.rows, cols = std::min(kPanel, job.right_width - panel * kPanel);
  const std::byte* from = job.right.data + panel * kPanel * bytes_of(dtype);
  std::byte* to = scratch + (job.panels + panel * kPanel * rows) * bytes_of(dtype);
  if (dtype == Dtype::bf16)
    cpu.pair_rows_bf16(reinterpret_cast<const uint16_t*>(from), job.right.stride, rows, cols, reinterpret_cast<uint16_t*>(to));
  else
    cpu.copy_rows_f32(reinterpret_cast<const float*>(from), job.right.stride, rows, cols, reinterpret_cast<float*>(to));
}

void multiply(const CpuKernels& cpu, Dtype dtype, const GradientJob& job, const GradientPiece& piece, const std::byte* scratch) {
  const int64_t rows = job.left.rows, cols = std::min(kPanel, job.right_width - piece.panel * kPanel);
  float* c = job.c + piece.first * job.c_stride + piece.panel * kPanel;
  for (int64_t m = 0; m < rows; m += kReductionBlock) {
    const int64_t count = std::min(kReductionBlock, rows - m);
    const std::byte* left = scratch + (job.transposed + piece.first * job.stride() + m) * bytes_of(dtype);
    const std::byte* panel = scratch + (job.panels + (piece.panel * rows + m) * kPanel) * bytes_of(dtype);
    if (dtype == Dtype::bf16)
      cpu.product_bf16(reinterpret_cast<const uint16_t*>(left), job.stride(), reinterpret_cast<const uint16_t*>(panel), count / 2,
                       c, job.c_stride, piece.count, cols, true, nullptr);
    else
      cpu.product_f32(reinterpret_cast<const float*>(left), job.stride(), reinterpret_cast<const float*>(panel), count, c,
                      job.c_stride, piece.count, cols, true, nullptr);
  }
}

// First both operands are laid out for the product, then c is cut in pieces of rows and one panel.
void run_backward_weight(std::vector<GradientJob> jobs, Dtype dtype) {
  const CpuKernels& cpu = cpu_kernels();
  std::erase_if(jobs, [](const GradientJob& job) { return job.left.rows == 0; });
  int64_t elements = 0;
  std::vector<GradientPiece> layouts, products;
  for (size_t j = 0; j < jobs.size(); ++j) {
    GradientJob& job = jobs[j];
    const auto index = static_cast<int64_t>(j);
    job.transposed = elements;
    job.panels = elements + job.left_width * job.stride();
    elements = job.panels + job.panel_count() * kPanel * job.left.rows;
    elements = round_up(elements, 32);
    for (int64_t a = 0; a < job.left_width; a += kPanel) layouts.push_back({index, a, std::min(kPanel, job.left_width - a), -1});
    for (int64_t p = 0; p < job.panel_count(); ++p) layouts.push_back({index, 0, 0, p});
    const int64_t block = row_block(job.left_width);
    for (int64_t a = 0; a < job.left_width; a += block)
      for (int64_t p = 0; p < job.panel_count(); ++p) products.push_back({index, a, std::min(block, job.left_width - a), p});
  }
  std::byte* scratch = thread_scratch(elements * bytes_of(dtype), 1);
  parallel_for(static_cast<int64_t>(layouts.size()), [&](int64_t i) {
    const GradientPiece& piece = layouts[static_cast<size_t>(i)];
    const GradientJob& job = jobs[static_cast<size_t>(piece.job)];
    if (piece.panel < 0) arrange_left(cpu, dtype, job, piece.first, piece.count, scratch);
    else arrange_right(cpu, dtype, job, piece.panel, scratch);
  });
  parallel_for(static_cast<int64_t>(products.size()), [&](int64_t i) {
    const GradientPiece& piece = products[static_cast<size_t>(i)];
    multiply(cpu, dtype, jobs[static_cast<size_t>(piece.job)], piece, scratch);
  });
}

GradientJob gradient_job(Rows dy, Rows x, const MatrixView& dw, int64_t matrix) {
  float* c = dw.data + matrix * dw.count_stride;
  // The stored matrix's contiguous dimension becomes the columns; products commute, so the bits do not change.
  if (dw.in_stride == 1) return {dy, x, dw.out, dw.in, c, dw.out_stride};
  if (dw.out_stride != 1) fail("linear: a weight view needs unit stride along out or in, not {} and {}.", dw.out_stride, dw.in_stride);
  return {x, dy, dw.in, dw.out, c, dw.in_stride};
}

void check_pairs(Dtype dtype, int64_t rows, const char* op) {
  if (dtype == Dtype::bf16 && rows % 2 != 0) fail("{}: {} rows; bf16 sums take rows in pairs, so the count must be even.", op, rows);
}

}  // namespace

at::Tensor linear_backward_input(const at::Tensor& dy, const PackedWeight& w, const at::Tensor& add_to) {
  check_dtype(dy, w.dtype(), "linear_backward_input", "dy");
  const Rows rows = rows_of(dy, w.dtype() == Dtype::bf16 ? round_up(w.out(), 2) : w.out(), "linear_backward_input", "dy");
  at::Tensor dx = add_to.defined() ? add_to : empty_f32({rows.rows, w.in()});
  run_backward_input({{rows, &w, 0, f32(dx), w.in()}}, w, add_to.defined());
  return dx;
}

at::Tensor linear_heads_backward_input(const at::Tensor& dy, const PackedWeight& w) {
  check_dtype(dy, w.dtype(), "linear_heads_backward_input", "dy");
  check_pairs(w.dtype(), w.out(), "linear_heads_backward_input");
  at::Tensor dx = empty_f32({dy.size(0), w.count(), w.in()});
  run_backward_input(head_jobs(dy, w, w.out(), dx, "linear_heads_backward_input"), w, false);
  return dx;
}

at::Tensor linear_experts_backward_input(const at::Tensor& dy, const PackedWeight& w, const std::vector<int64_t>& row_offsets,
                                         const at::Tensor& add_to) {
  check_dtype(dy, w.dtype(), "linear_experts_backward_input", "dy");
  check_pairs(w.dtype(), w.out(), "linear_experts_backward_input");
  at::Tensor dx = add_to.defined() ? add_to : empty_f32({dy.size(0), w.in()});
  run_backward_input(expert_jobs(dy, w, row_offsets, w.out(), dx, "linear_experts_backward_input"), w, add_to.defined());
  return dx;
}

void linear_backward_weight(const at::Tensor& dy, const at::Tensor& x, const MatrixView& dw) {
  const Dtype dtype = dtype_of(x);
  check_dtype(dy, dtype, "linear_backward_weight", "dy");
  const Rows left = rows_of(dy, dw.out, "linear_backward_weight", "dy"), right = rows_of(x, dw.in, "linear_backward_weight", "x");
  if (left.rows != right.rows) fail("linear_backward_weight: dy has {} rows and x has {}.", left.rows, right.rows);
  check_pairs(dtype, left.rows, "linear_backward_weight");
  run_backward_weight({gradient_job(left, right, dw, 0)}, dtype);
}

void linear_heads_backward_weight(const at::Tensor& dy, const at::Tensor& x, const MatrixView& dw) {
  const Dtype dtype = dtype_of(x);
  check_dtype(dy, dtype, "linear_heads_backward_weight", "dy");
  check_pairs(dtype, x.size(0), "linear_heads_backward_weight");
  if (dy.dim() != 3 || x.dim() != 3 || dy.size(1) != dw.count || x.size(1) != dw.count || dy.size(2) != dw.out || x.size(2) != dw.in)
    fail("linear_heads_backward_weight: dy must be [rows, {}, {}] and x [rows, {}, {}].", dw.count, dw.out, dw.count, dw.in);
  std::vector<GradientJob> jobs;
  for (int64_t h = 0; h < dw.count; ++h)
    jobs.push_back(gradient_job({bytes(dy) + h * dw.out * bytes_of(dtype), dw.count * dw.out, dy.size(0)},
                                {bytes(x) + h * dw.in * bytes_of(dtype), dw.count * dw.in, x.size(0)}, dw, h));
  run_backward_weight(std::move(jobs), dtype);
}

void linear_experts_backward_weight(const at::Tensor& dy, const at::Tensor& x, const MatrixView& dw,
                                    const std::vector<int64_t>& row_offsets) {
  const Dtype dtype = dtype_of(x);
  check_dtype(dy, dtype, "linear_experts_backward_weight", "dy");
  const Rows left = rows_of(dy, dw.out, "linear_experts_backward_weight", "dy");
  const Rows right = rows_of(x, dw.in, "linear_experts_backward_weight", "x");
  std::vector<GradientJob> jobs;
  for (int64_t e = 0; e < dw.count; ++e) {
    const int64_t first = row_offsets[e], rows = row_offsets[e + 1] - first;
    check_pairs(dtype, rows, "linear_experts_backward_weight");
    jobs.push_back(gradient_job({left.data + first * left.stride * bytes_of(dtype), left.stride, rows},
                                {right.data + first * right.stride * bytes_of(dtype), right.stride, rows}, dw, e));
  }
  run_backward_weight(std::move(jobs), dtype);
}

void linear_backward_bias(const at::Tensor& dy, const at::Tensor& dbias) {
  require_matrix("linear_backward_bias", "dy", dy);
  const int64_t rows = dy.size(0), width = dy.size(1);
  require_shape("linear_backward_bias", "dbias", dbias, {width});
  float* sum = f32(dbias);
  const CpuKernels& cpu = cpu_kernels();
  const auto run = [&](const auto* from, auto kernel) {
    // Ranges begin at multiples of 16 columns: a thread then writes whole cache lines.
    parallel_ranges((width + 15) / 16, std::max<int64_t>(1, 1024 / std::max<int64_t>(1, rows)), [&](int64_t begin, int64_t end) {
      const int64_t c = begin * 16;
      kernel(from + c, width, sum + c, rows, std::min(width, end * 16) - c);
    });
  };
  if (dtype_of(dy) == Dtype::bf16) run(bf16(dy), cpu.sum_rows_bf16);
  else run(f32(dy), cpu.sum_rows_f32);
}

}  // namespace kernels
