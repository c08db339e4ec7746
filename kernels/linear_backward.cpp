// The gradients of y = x W^T: dx = dy W and dW += dy^T x.
#include <algorithm>

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
        cpu.transpose_panel_f32(reinterpret_cast<const float*>(w.panels(job.matrix)), w.in(), n, count, piece.panel * kPanel, cols, panel);
        cpu.product_f32(reinterpret_cast<const float*>(dy), job.x.stride, panel, count, dx, job.y_stride, piece.rows, cols, go_on, nullptr);
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
  int64_t transposed = 0;  // element offset of left's transpose in the shared scratch
};

void run_backward_weight(std::vector<GradientJob> jobs, Dtype dtype) {
  const CpuKernels& cpu = cpu_kernels();
  const int64_t element = bytes_of(dtype);
  int64_t elements = 0;
  for (auto& job : jobs) {
    job.transposed = elements;
    elements += round_up(job.left.rows * job.left_width, 32);
  }
  std::byte* transposed = thread_scratch(elements * element + 64, 1);

  struct Piece { int64_t job, first, count, panel; };
  std::vector<Piece> pieces;
  for (size_t j = 0; j < jobs.size(); ++j)
    for (int64_t a = 0; a < jobs[j].left_width; a += kPanel)
      pieces.push_back({static_cast<int64_t>(j), a, std::min(kPanel, jobs[j].left_width - a), 0});
  parallel_for(static_cast<int64_t>(pieces.size()), [&](int64_t i) {
    const GradientJob& job = jobs[pieces[i].job];
    std::byte* to = transposed + (job.transposed + pieces[i].first * job.left.rows) * element;
    const std::byte* from = job.left.data + pieces[i].first * element;
    if (dtype == Dtype::bf16)
      cpu.transpose_u16(reinterpret_cast<const uint16_t*>(from), job.left.stride, job.left.rows, pieces[i].count,
                        reinterpret_cast<uint16_t*>(to), job.left.rows);
    else
      cpu.transpose_u32(reinterpret_cast<const uint32_t*>(from), job.left.stride, job.left.rows, pieces[i].count,
                        reinterpret_cast<uint32_t*>(to), job.left.rows);
  });

  pieces.clear();
  for (size_t j = 0; j < jobs.size(); ++j) {
    if (jobs[j].left.rows == 0) continue;
    for (int64_t p = 0; p < (jobs[j].right_width + kPanel - 1) / kPanel; ++p)
      for (int64_t a = 0; a < jobs[j].left_width; a += kRowBlock)
        pieces.push_back({static_cast<int64_t>(j), a, std::min(kRowBlock, jobs[j].left_width - a), p});
  }
  parallel_for(static_cast<int64_t>(pieces.size()), [&](int64_t i) {
    const GradientJob& job = jobs[pieces[i].job];
    const int64_t cols = std::min(kPanel, job.right_width - pieces[i].panel * kPanel);
    const int64_t rows = job.left.rows;
    float* c = job.c + pieces[i].first * job.c_stride + pieces[i].panel * kPanel;
    std::byte* scratch = thread_scratch(kReductionBlock * kPanel * element);
    for (int64_t m = 0; m < rows; m += kReductionBlock) {
      const int64_t count = std::min(kReductionBlock, rows - m);
      const std::byte* right = job.right.data + (m * job.right.stride + pieces[i].panel * kPanel) * element;
      const std::byte* left = transposed + (job.transposed + pieces[i].first * rows + m) * element;
      if (dtype == Dtype::bf16) {
        auto* panel = reinterpret_cast<uint16_t*>(scratch);
        cpu.pair_rows_bf16(reinterpret_cast<const uint16_t*>(right), job.right.stride, count, cols, panel);
        cpu.product_bf16(reinterpret_cast<const uint16_t*>(left), rows, panel, count / 2, c, job.c_stride, pieces[i].count, cols, true, nullptr);
      } else {
        auto* panel = reinterpret_cast<float*>(scratch);
        cpu.copy_rows_f32(reinterpret_cast<const float*>(right), job.right.stride, count, cols, panel);
        cpu.product_f32(reinterpret_cast<const float*>(left), rows, panel, count, c, job.c_stride, pieces[i].count, cols, true, nullptr);
      }
    }
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

}  // namespace kernels
