#include "kernels/linear.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "kernels/error.h"
#include "kernels/isa/table.h"
#include "kernels/thread_pool.h"

namespace kernels {
namespace {

constexpr int64_t kPanel = 64;
constexpr int64_t kRowBlock = 192;        // rows of one task: their inputs stay in the second-level cache
constexpr int64_t kReductionBlock = 1024;  // rows of dy and x that one pass of dW reads

int64_t round_up(int64_t x, int64_t to) { return (x + to - 1) / to * to; }

struct Aligned {
  std::unique_ptr<std::byte, decltype(&std::free)> memory{nullptr, &std::free};
  int64_t size = 0;
  // Per thread and kept: a fresh block each time would cost more in page faults than the work itself.
  std::byte* grow(int64_t bytes) {
    if (bytes > size) {
      memory.reset(static_cast<std::byte*>(std::aligned_alloc(64, static_cast<size_t>(round_up(bytes, 4096)))));
      if (!memory) fail("linear: out of memory for a scratch block of {} bytes.", bytes);
      size = round_up(bytes, 4096);
    }
    return memory.get();
  }
};

std::byte* thread_scratch(int64_t bytes) {
  thread_local Aligned block;
  return block.grow(bytes);
}

// A row-major operand: `rows` rows, element stride 1, `stride` elements from row to row.
struct Rows {
  const std::byte* data = nullptr;
  int64_t stride = 0, rows = 0;
};

// One product with one matrix of a PackedWeight.
struct Job {
  Rows x;
  int64_t matrix = 0;
  float* y = nullptr;
  int64_t y_stride = 0;
};

struct Task {
  int64_t job, row, rows, panel, panels;
};

// Cuts jobs into blocks of rows and of panels, large enough to be worth a task, many enough for all threads.
std::vector<Task> cut(const std::vector<Job>& jobs, int64_t panel_count, int64_t k) {
  std::vector<Task> tasks;
  for (size_t j = 0; j < jobs.size(); ++j) {
    const int64_t rows = jobs[j].x.rows;
    for (int64_t row = 0; row < rows; row += kRowBlock) {
      const int64_t block = std::min(kRowBlock, rows - row);
      const int64_t panel_work = std::max<int64_t>(1, block * k * kPanel);
      const int64_t step = std::clamp<int64_t>((1 << 21) / panel_work, 1, panel_count);
      for (int64_t p = 0; p < panel_count; p += step)
        tasks.push_back({static_cast<int64_t>(j), row, block, p, std::min(step, panel_count - p)});
    }
  }
  return tasks;
}

void run_forward(const std::vector<Job>& jobs, const PackedWeight& w) {
  const CpuKernels& cpu = cpu_kernels();
  const auto tasks = cut(jobs, w.panel_count(), w.in());
  const int64_t element = bytes_of(w.dtype());
  parallel_for(static_cast<int64_t>(tasks.size()), [&](int64_t i) {
    const Task& t = tasks[i];
    const Job& job = jobs[t.job];
    const std::byte* x = job.x.data + t.row * job.x.stride * element;
    for (int64_t p = t.panel; p < t.panel + t.panels; ++p) {
      const std::byte* panel = w.panels(job.matrix) + p * kPanel * w.in() * element;
      float* y = job.y + t.row * job.y_stride + p * kPanel;
      const int64_t cols = std::min(kPanel, w.out() - p * kPanel);
      if (w.dtype() == Dtype::bf16)
        cpu.product_bf16(reinterpret_cast<const uint16_t*>(x), job.x.stride, reinterpret_cast<const uint16_t*>(panel), w.in() / 2,
                         y, job.y_stride, t.rows, cols, false);
      else
        cpu.product_f32(reinterpret_cast<const float*>(x), job.x.stride, reinterpret_cast<const float*>(panel), w.in(), y,
                        job.y_stride, t.rows, cols, false);
    }
  });
}

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
                         piece.rows, cols, go_on);
      } else {
        auto* panel = reinterpret_cast<float*>(scratch);
        cpu.transpose_panel_f32(reinterpret_cast<const float*>(w.panels(job.matrix)), w.in(), n, count, piece.panel * kPanel, cols, panel);
        cpu.product_f32(reinterpret_cast<const float*>(dy), job.x.stride, panel, count, dx, job.y_stride, piece.rows, cols, go_on);
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
  static thread_local Aligned shared;  // the caller's: tasks only read it
  std::byte* transposed = shared.grow(elements * element + 64);

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
        cpu.product_bf16(reinterpret_cast<const uint16_t*>(left), rows, panel, count / 2, c, job.c_stride, pieces[i].count, cols, true);
      } else {
        auto* panel = reinterpret_cast<float*>(scratch);
        cpu.copy_rows_f32(reinterpret_cast<const float*>(right), job.right.stride, count, cols, panel);
        cpu.product_f32(reinterpret_cast<const float*>(left), rows, panel, count, c, job.c_stride, pieces[i].count, cols, true);
      }
    }
  });
}

const std::byte* bytes(const at::Tensor& x) { return static_cast<const std::byte*>(x.data_ptr()); }

Rows rows_of(const at::Tensor& x, int64_t width, const char* op, const char* what) {
  if (x.dim() != 2 || x.size(1) < width || (x.size(1) > 1 && x.stride(1) != 1))
    fail("{}: {} is [{}, {}]; it must be [rows, {}] with unit stride in the last dimension.", op, what, x.size(0),
         x.dim() > 1 ? x.size(1) : 0, width);
  return {bytes(x), x.stride(0), x.size(0)};
}

void check_dtype(const at::Tensor& x, Dtype dtype, const char* op, const char* what) {
  if (!x.is_cpu()) fail("{}: {} is on {}, but this build has no kernels for it; move it to the CPU.", op, what, x.device().str());
  if (dtype_of(x) != dtype) fail("{}: {} is {}, but the weight is {}.", op, what, name_of(dtype_of(x)), name_of(dtype));
}

std::vector<Job> expert_jobs(const at::Tensor& x, const PackedWeight& w, const std::vector<int64_t>& offsets, int64_t x_width,
                             const at::Tensor& y, const char* op) {
  if (static_cast<int64_t>(offsets.size()) != w.count() + 1 || offsets.back() != x.size(0))
    fail("{}: {} row offsets for {} experts and {} rows.", op, offsets.size(), w.count(), x.size(0));
  const Rows all = rows_of(x, x_width, op, "x");
  std::vector<Job> jobs;
  for (int64_t e = 0; e < w.count(); ++e)
    if (offsets[e + 1] > offsets[e])
      jobs.push_back({{all.data + offsets[e] * all.stride * bytes_of(w.dtype()), all.stride, offsets[e + 1] - offsets[e]}, e,
                      f32(y) + offsets[e] * y.stride(0), y.stride(0)});
  return jobs;
}

std::vector<Job> head_jobs(const at::Tensor& x, const PackedWeight& w, int64_t x_width, const at::Tensor& y, const char* op) {
  if (x.dim() != 3 || x.size(1) != w.count() || x.size(2) != x_width || !x.is_contiguous())
    fail("{}: x must be a contiguous [rows, {}, {}].", op, w.count(), x_width);
  std::vector<Job> jobs;
  for (int64_t h = 0; h < w.count(); ++h)
    jobs.push_back({{bytes(x) + h * x_width * bytes_of(w.dtype()), w.count() * x_width, x.size(0)}, h, f32(y) + h * y.size(2),
                    w.count() * y.size(2)});
  return jobs;
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

at::Tensor linear(const at::Tensor& x, const PackedWeight& w) {
  check_dtype(x, w.dtype(), "linear", "x");
  const Rows rows = rows_of(x, w.in(), "linear", "x");
  at::Tensor y = empty_f32({rows.rows, w.out()});
  run_forward({{rows, 0, f32(y), w.out()}}, w);
  return y;
}

at::Tensor linear_heads(const at::Tensor& x, const PackedWeight& w) {
  check_dtype(x, w.dtype(), "linear_heads", "x");
  at::Tensor y = empty_f32({x.size(0), w.count(), w.out()});
  run_forward(head_jobs(x, w, w.in(), y, "linear_heads"), w);
  return y;
}

at::Tensor linear_experts(const at::Tensor& x, const PackedWeight& w, const std::vector<int64_t>& row_offsets) {
  check_dtype(x, w.dtype(), "linear_experts", "x");
  at::Tensor y = empty_f32({x.size(0), w.out()});
  run_forward(expert_jobs(x, w, row_offsets, w.in(), y, "linear_experts"), w);
  return y;
}

at::Tensor linear_backward_input(const at::Tensor& dy, const PackedWeight& w, const at::Tensor& add_to) {
  check_dtype(dy, w.dtype(), "linear_backward_input", "dy");
  const Rows rows = rows_of(dy, w.dtype() == Dtype::bf16 ? round_up(w.out(), 2) : w.out(), "linear_backward_input", "dy");
  at::Tensor dx = add_to.defined() ? add_to : empty_f32({rows.rows, w.in()});
  run_backward_input({{rows, 0, f32(dx), w.in()}}, w, add_to.defined());
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
