// Rotary position embedding.
//
// Source: Su et al., arXiv:2104.09864, Eq. 34. Pair j of a vector of `2J` elements at position p turns by the angle
// p * inverse_frequency[j] and grows by `magnitude` (YaRN, arXiv:2309.00071, Eq. 15; else 1). `interleaved` pairs are
// (2j, 2j+1) (DeepSeek); otherwise (j, j + J) (Llama, Qwen). Cosines and sines, times the magnitude, are computed once in
// float64 and rounded to float32; the turn is float32 (model/CONVENTIONS.md, "Rope rounding").
#pragma once

#include <memory>
#include <vector>

#include "kernels/tensor.h"

namespace kernels {

// Grows with the longest position that was asked for, in chunks, so a model of a million positions costs no more than its
// texts. Copies share one table; any thread may ask.
class RopeTable {
 public:
  RopeTable() = default;
  RopeTable(std::vector<double> inverse_frequency, int64_t positions, bool interleaved, double magnitude = 1.0);

  int64_t positions() const;  // the limit
  int64_t pairs() const;
  bool interleaved() const;
  void reach(int64_t positions) const;          // makes the angles of positions below this one
  const float* cos(int64_t position) const;     // [J]; reach() came before
  const float* sin(int64_t position) const;
  int64_t bytes() const;                        // made so far

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// Turns elements [offset, offset + 2J) of each head of x, float32 [N, H, D], in place. `inverse` turns the other way: it
// is the backward pass, since the turn is orthogonal but for the magnitude. Throws Error if a position is outside the
// table.
void rope_in_place(const at::Tensor& x, const int32_t* positions, const RopeTable& table, int64_t offset, bool inverse = false);

// The same, a row at a time, for ops that go on with the row. Checks what rope_in_place checks.
class RopeTurn {
 public:
  RopeTurn(const at::Tensor& x, const int32_t* positions, const RopeTable& table, int64_t offset, bool inverse);
  void operator()(int64_t row) const;

 private:
  float* data_;
  const int32_t* positions_;
  RopeTable table_;
  int64_t heads_, size_, pairs_;
  float sign_;
  void (*turn_)(float*, int64_t, int64_t, const float*, const float*, int64_t, float);
};

}  // namespace kernels
