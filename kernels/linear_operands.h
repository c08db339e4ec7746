// What the products of linear.cpp and linear_backward.cpp share: operands as raw rows, and their checks. Internal.
#pragma once

#include "kernels/error.h"
#include "kernels/linear.h"

namespace kernels {

constexpr int64_t kPanel = 64;     // columns of a panel
constexpr int64_t kRowBlock = 192;  // rows of one task: their inputs stay in the second-level cache

inline int64_t round_up(int64_t x, int64_t to) { return (x + to - 1) / to * to; }

// Rows a task, nearly equal, so that no block is a sliver.
inline int64_t row_block(int64_t rows) {
  const int64_t blocks = (rows + kRowBlock - 1) / kRowBlock;
  return blocks == 0 ? 1 : round_up((rows + blocks - 1) / blocks, 6);
}

// Scratch memory of the calling thread, kept: a fresh block each time would cost more in page faults than the work itself.
// Slot 0 is a task's own; slot 1 belongs to the caller, for all its tasks to read.
std::byte* thread_scratch(int64_t bytes, int slot = 0);

// A row-major operand: `rows` rows, element stride 1, `stride` elements from row to row.
struct Rows {
  const std::byte* data = nullptr;
  int64_t stride = 0, rows = 0;
};

const std::byte* bytes(const at::Tensor& x);
Rows rows_of(const at::Tensor& x, int64_t width, const char* op, const char* what);
void check_dtype(const at::Tensor& x, Dtype dtype, const char* op, const char* what);

// One product with one matrix of a PackedWeight: y = x W^T, or y = dx of dy = x.
struct Job {
  Rows x;
  const PackedWeight* w = nullptr;
  int64_t matrix = 0;
  float* y = nullptr;
  int64_t y_stride = 0;
};
std::vector<Job> expert_jobs(const at::Tensor& x, const PackedWeight& w, const std::vector<int64_t>& offsets, int64_t x_width,
                             const at::Tensor& y, const char* op);
std::vector<Job> head_jobs(const at::Tensor& x, const PackedWeight& w, int64_t x_width, const at::Tensor& y, const char* op);

}  // namespace kernels
