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

}  // namespace kernels
