// y = x W^T, alone and fused with what follows it.
#include "kernels/linear.h"

#include <algorithm>

#include "kernels/check.h"
#include "kernels/isa/table.h"
#include "kernels/linear_operands.h"
#include "kernels/thread_pool.h"

namespace kernels {
namespace {

// Which rows and panels of which job.
struct Task {
  size_t job = 0;
  int64_t row = 0, rows = 0, panel = 0, panels = 0;
};

// Cycles that a panel costs, roughly: `rows` rows of multiplications, or the reading of its weights.
int64_t panel_cost(int64_t rows, const PackedWeight& w) { return w.in() * bytes_of(w.dtype()) * (rows + 16); }

constexpr int64_t kWorthATask = 15000;  // cycles

// Cuts panels [first, end) of a job into runs that are worth a task, for each block of rows. Panels of one block follow each
// other, so a thread keeps its rows of x in the second-level cache and reads the weights in order.
void cut(const std::vector<Job>& jobs, size_t j, int64_t first, int64_t end, std::vector<Task>& tasks) {
  const int64_t rows = jobs[j].x.rows, block = row_block(rows);
  for (int64_t row = 0; row < rows; row += block) {
    const int64_t count = std::min(block, rows - row);
    const int64_t run = std::max<int64_t>(kWorthATask / panel_cost(count, *jobs[j].w), 1);
    for (int64_t p = first; p < end; p += run) tasks.push_back({j, row, count, p, std::min(run, end - p)});
  }
}

// How many threads share the panels of one block of rows: all, unless there is less to do than a task each. Of more rows
// the multiplications take the time, and who reads which weights does not matter.
int64_t shares_of(const std::vector<Job>& jobs) {
  int64_t cycles = 0;
  for (const Job& job : jobs) {
    if (job.x.rows > row_block(job.x.rows)) return 1;
    cycles += job.w->panel_count() * panel_cost(job.x.rows, *job.w);
  }
  return std::clamp<int64_t>(cycles / kWorthATask, 1, threads());
}

// A share is a thread's part of every job's panels, always the same one: it reads memory that it wrote (pack), next to it
// where memory has several nodes. parallel_runs deals equal counts of tasks, so short shares end with tasks of no panels.
std::vector<Task> cut(const std::vector<Job>& jobs) {
  const int64_t shares = shares_of(jobs);
  std::vector<Task> tasks;
  std::vector<size_t> begins;
  for (int64_t share = 0; share < shares; ++share) {
    if (shares > 1) begins.push_back(tasks.size());
    for (size_t j = 0; j < jobs.size(); ++j) {
      const int64_t panels = jobs[j].w->panel_count();
      cut(jobs, j, panels * share / shares, panels * (share + 1) / shares, tasks);
    }
  }
  if (shares == 1) return tasks;
  begins.push_back(tasks.size());
  size_t longest = 0;
  for (size_t s = 1; s < begins.size(); ++s) longest = std::max(longest, begins[s] - begins[s - 1]);
  std::vector<Task> even(longest * static_cast<size_t>(shares));
  for (size_t s = 1; s < begins.size(); ++s)
    std::copy(tasks.begin() + static_cast<int64_t>(begins[s - 1]), tasks.begin() + static_cast<int64_t>(begins[s]),
              even.begin() + static_cast<int64_t>((s - 1) * longest));
  return even;
}

const std::byte* panel_at(const Job& job, int64_t p) {
  return job.w->panels(job.matrix) + p * kPanel * job.w->in() * bytes_of(job.w->dtype());
}

// y[0..rows, 0..columns of panel p) = x W^T.
// `next`: the panel that this thread reads after this one, or null.
void multiply(const CpuKernels& cpu, const Job& job, int64_t row, int64_t rows, int64_t p, const std::byte* next, float* y,
              int64_t y_stride) {
  const PackedWeight& w = *job.w;
  const std::byte *x = job.x.data + row * job.x.stride * bytes_of(w.dtype()), *panel = panel_at(job, p);
  const int64_t cols = std::min(kPanel, w.out() - p * kPanel);
  if (w.dtype() == Dtype::bf16)
    cpu.product_bf16(reinterpret_cast<const uint16_t*>(x), job.x.stride, reinterpret_cast<const uint16_t*>(panel), w.in() / 2, y,
                     y_stride, rows, cols, false, next);
  else
    cpu.product_f32(reinterpret_cast<const float*>(x), job.x.stride, reinterpret_cast<const float*>(panel), w.in(), y, y_stride,
                    rows, cols, false, next);
}

// `then(job, row, rows, column, columns)` runs when that part of y is done and still near.
template <typename Then>
void run(const std::vector<Job>& jobs, Then then) {
  const CpuKernels& cpu = cpu_kernels();
  const auto tasks = cut(jobs);
  parallel_runs(static_cast<int64_t>(tasks.size()), [&](int64_t i, int64_t after) {
    const Task& t = tasks[static_cast<size_t>(i)];
    const Job& job = jobs[t.job];
    const Task* following = after < 0 ? nullptr : &tasks[static_cast<size_t>(after)];
    for (int64_t p = t.panel; p < t.panel + t.panels; ++p) {
      const std::byte* next = p + 1 < t.panel + t.panels ? panel_at(job, p + 1)
                              : following                ? panel_at(jobs[following->job], following->panel)
                                                         : nullptr;
      multiply(cpu, job, t.row, t.rows, p, next, job.y + t.row * job.y_stride + p * kPanel, job.y_stride);
      then(job, t.row, t.rows, p * kPanel, std::min(kPanel, job.w->out() - p * kPanel));
    }
  });
}

void run(const std::vector<Job>& jobs) {
  run(jobs, [](const Job&, int64_t, int64_t, int64_t, int64_t) {});
}

Job job_of(const at::Tensor& x, const PackedWeight& w, const at::Tensor& y, const char* op) {
  check_dtype(x, w.dtype(), op, "x");
  return {rows_of(x, w.in(), op, "x"), &w, 0, f32(y), w.out()};
}

// Null when there is none.
const float* bias_of(const at::Tensor& bias, const PackedWeight& w, const char* op) {
  if (!bias.defined()) return nullptr;
  require_shape(op, "bias", bias, {w.out()});
  return f32(bias);
}

void add_bias(const CpuKernels& cpu, const float* bias, float* y, int64_t y_stride, int64_t rows, int64_t columns) {
  for (int64_t n = 0; n < rows; ++n, y += y_stride) cpu.add(y, bias, y, columns);
}

}  // namespace

at::Tensor linear(const at::Tensor& x, const PackedWeight& w, const at::Tensor& bias) {
  if (bias.defined()) return linear_many(x, {&w}, {bias})[0];
  at::Tensor y = empty_f32({x.size(0), w.out()});
  run({job_of(x, w, y, "linear")});
  return y;
}

std::vector<at::Tensor> linear_many(const at::Tensor& x, const std::vector<const PackedWeight*>& weights,
                                    const std::vector<at::Tensor>& biases) {
  if (!biases.empty() && biases.size() != weights.size())
    fail("linear: {} biases for {} weights; give none or one a weight.", biases.size(), weights.size());
  std::vector<at::Tensor> y;
  std::vector<Job> jobs;
  std::vector<const float*> added;
  for (size_t i = 0; i < weights.size(); ++i) {
    y.push_back(empty_f32({x.size(0), weights[i]->out()}));
    jobs.push_back(job_of(x, *weights[i], y.back(), "linear"));
    added.push_back(biases.empty() ? nullptr : bias_of(biases[i], *weights[i], "linear"));
  }
  if (std::all_of(added.begin(), added.end(), [](const float* bias) { return bias == nullptr; })) {
    run(jobs);
    return y;
  }
  const auto& table = cpu_kernels();
  run(jobs, [&](const Job& job, int64_t row, int64_t rows, int64_t column, int64_t columns) {
    const float* bias = added[static_cast<size_t>(&job - jobs.data())];
    if (bias) add_bias(table, bias + column, job.y + row * job.y_stride + column, job.y_stride, rows, columns);
  });
  return y;
}

at::Tensor linear_add(const at::Tensor& x, const PackedWeight& w, const at::Tensor& add_to, const at::Tensor& bias) {
  require_shape("linear_add", "add_to", add_to, {x.size(0), w.out()});
  const float *from = f32(add_to), *added = bias_of(bias, w, "linear_add");
  at::Tensor y = empty_f32({x.size(0), w.out()});
  const auto& table = cpu_kernels();
  run({job_of(x, w, y, "linear_add")}, [&](const Job& job, int64_t row, int64_t rows, int64_t column, int64_t columns) {
    if (added) add_bias(table, added + column, job.y + row * job.y_stride + column, job.y_stride, rows, columns);
    for (int64_t n = row; n < row + rows; ++n) {
      float* to = job.y + n * job.y_stride + column;
      table.add(from + n * job.y_stride + column, to, to, columns);
    }
  });
  return y;
}

LinearSwiglu linear_swiglu(const at::Tensor& x, const PackedWeight& gate, const PackedWeight& up, Dtype out, bool keep,
                           const SwigluBiases& biases) {
  const int64_t n = x.size(0), width = gate.out();
  if (up.out() != width || up.in() != gate.in() || up.dtype() != gate.dtype())
    fail("linear_swiglu: gate is [{}, {}] and up [{}, {}]; they must be equal in shape and dtype.", width, gate.in(), up.out(),
         up.in());
  LinearSwiglu result{{}, {}, empty_of(out, {n, width})};
  if (keep) result.gate = empty_f32({n, width}), result.up = empty_f32({n, width});
  const auto& table = cpu_kernels();
  const Job gate_job{rows_of(x, gate.in(), "linear_swiglu", "x"), &gate, 0, keep ? f32(result.gate) : nullptr, width};
  const Job up_job{gate_job.x, &up, 0, keep ? f32(result.up) : nullptr, width};
  check_dtype(x, gate.dtype(), "linear_swiglu", "x");
  const float *gate_bias = bias_of(biases.gate, gate, "linear_swiglu"), *up_bias = bias_of(biases.up, up, "linear_swiglu");
  const auto tasks = cut({gate_job});  // each does the same part of up as well
  parallel_runs(static_cast<int64_t>(tasks.size()), [&](int64_t i, int64_t after) {
    const Task& t = tasks[static_cast<size_t>(i)];
    for (int64_t p = t.panel; p < t.panel + t.panels; ++p) {
      const int64_t then = p + 1 < t.panel + t.panels ? p + 1 : after < 0 ? -1 : tasks[static_cast<size_t>(after)].panel;
      const int64_t column = p * kPanel, columns = std::min(kPanel, width - column), stride = keep ? width : kPanel;
      auto* scratch = keep ? nullptr : reinterpret_cast<float*>(thread_scratch(2 * t.rows * kPanel * 4));
      float* g = keep ? gate_job.y + t.row * width + column : scratch;
      float* u = keep ? up_job.y + t.row * width + column : scratch + t.rows * kPanel;
      multiply(table, gate_job, t.row, t.rows, p, then < 0 ? nullptr : panel_at(gate_job, then), g, stride);
      multiply(table, up_job, t.row, t.rows, p, then < 0 ? nullptr : panel_at(up_job, then), u, stride);
      if (gate_bias) add_bias(table, gate_bias + column, g, stride, t.rows, columns);
      if (up_bias) add_bias(table, up_bias + column, u, stride, t.rows, columns);
      for (int64_t r = 0; r < t.rows; ++r) {
        const int64_t to = (t.row + r) * width + column;
        if (out == Dtype::bf16) table.swiglu_bf16(g + r * stride, u + r * stride, bf16(result.hidden) + to, columns);
        else table.swiglu_f32(g + r * stride, u + r * stride, f32(result.hidden) + to, columns);
      }
    }
  });
  return result;
}

at::Tensor linear_heads(const at::Tensor& x, const PackedWeight& w) {
  check_dtype(x, w.dtype(), "linear_heads", "x");
  at::Tensor y = empty_f32({x.size(0), w.count(), w.out()});
  run(head_jobs(x, w, w.in(), y, "linear_heads"));
  return y;
}

at::Tensor linear_experts(const at::Tensor& x, const PackedWeight& w, const std::vector<int64_t>& row_offsets) {
  check_dtype(x, w.dtype(), "linear_experts", "x");
  at::Tensor y = empty_f32({x.size(0), w.out()});
  run(expert_jobs(x, w, row_offsets, w.in(), y, "linear_experts"));
  return y;
}

}  // namespace kernels
