// Sums of rows of a large matrix of which few are touched: the gradient of an embedding look-up.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/tensor.h"

namespace model {

// A row's sum is one chain in the order of the calls and of the rows in them, starting from 0.
class SparseRows {
 public:
  SparseRows() = default;
  SparseRows(int64_t rows, int64_t width) : slot_of_(static_cast<size_t>(rows), -1), width_(width) {}

  void add(const at::Tensor& x, const std::vector<int64_t>& rows);  // x float32 [N, width]; rows[n] < 0 names no row
  // Adds every sum to its row of `into`, float32 [rows, width], and is empty again.
  void move_to(const at::Tensor& into);
  int64_t bytes() const { return values_.defined() ? values_.numel() * 4 : 0; }  // held, touched or not

 private:
  void make_room(int64_t slots);

  std::vector<int64_t> slot_of_;  // by row; -1: not touched
  std::vector<int64_t> touched_;  // by slot
  at::Tensor values_;             // [capacity, width]; slots in use come first
  int64_t width_ = 0;
};

}  // namespace model
