// Tensors of normals, the same for the same seed.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "kernels/rng.h"
#include "kernels/tensor.h"

namespace testing {

inline void fill_normal(float* x, int64_t n, uint64_t seed, float scale = 1.0f) {
  for (int64_t i = 0; i < n; ++i) {
    const auto position = static_cast<uint32_t>(i / 4);
    const auto four = kernels::random_normals({.seed = seed, .purpose = kernels::Purpose::init, .position = position});
    x[i] = scale * four[static_cast<size_t>(i % 4)];
  }
}

inline at::Tensor random_f32(std::initializer_list<int64_t> shape, uint64_t seed, float scale = 1.0f) {
  auto x = kernels::empty_f32(shape);
  fill_normal(kernels::f32(x), x.numel(), seed, scale);
  return x;
}

inline at::Tensor tensor_f32(std::initializer_list<int64_t> shape, const std::vector<float>& values) {
  auto x = kernels::empty_f32(shape);
  if (x.numel() != static_cast<int64_t>(values.size()))
    throw std::logic_error("tensor_f32: the shape wants another count of values");
  std::copy(values.begin(), values.end(), kernels::f32(x));
  return x;
}

}  // namespace testing
