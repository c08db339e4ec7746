// Rotary position embedding.
//
// Source: Su et al., arXiv:2104.09864, Eq. 34. Pair j of a vector of `2J` elements at position p turns by the angle
// p * inverse_frequency[j]. `interleaved` pairs are (2j, 2j+1) (DeepSeek); otherwise (j, j + J) (Llama, Qwen).
// Angles come from one table, computed once in float64 and rounded to float32; the turn is float32.
#pragma once

#include <vector>

#include "kernels/tensor.h"

namespace kernels {

struct RopeTable {
  at::Tensor cos, sin;  // float32 [positions, J]
  bool interleaved = false;
};

RopeTable make_rope_table(const std::vector<double>& inverse_frequency, int64_t positions, bool interleaved);

// Turns elements [offset, offset + 2J) of each head of x, float32 [N, H, D], in place. `inverse` turns back: it is also
// the backward pass, since the turn is orthogonal. Throws Error if a position is outside the table.
void rope_in_place(const at::Tensor& x, const int32_t* positions, const RopeTable& table, int64_t offset, bool inverse = false);

// The same, a row at a time, for ops that go on with the row. Checks what rope_in_place checks.
class RopeTurn {
 public:
  RopeTurn(const at::Tensor& x, const int32_t* positions, const RopeTable& table, int64_t offset, bool inverse);
  void operator()(int64_t row) const;

 private:
  float* data_;
  const int32_t* positions_;
  const float *cos_, *sin_;
  int64_t heads_, size_, pairs_;
  float sign_;
  void (*turn_)(float*, int64_t, int64_t, const float*, const float*, int64_t, float);
};

}  // namespace kernels
