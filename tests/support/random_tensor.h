// Tensors of reproducible random numbers, and comparison by bits.
#pragma once

#include <cstring>

#include "kernels/rng.h"
#include "kernels/tensor.h"

namespace support {

// Normal numbers of standard deviation `std`, keyed by (seed, index).
inline at::Tensor random_tensor(std::initializer_list<int64_t> shape, uint64_t seed, double std = 1.0) {
  at::Tensor x = kernels::empty_f32(shape);
  float* p = kernels::f32(x);
  for (int64_t i = 0; i < x.numel(); ++i)
    p[i] = static_cast<float>(
        std * kernels::random_normals({.seed = seed, .purpose = kernels::Purpose::init, .position = static_cast<uint32_t>(i / 4)})[i % 4]);
  return x;
}

// Equal shapes, dtypes and bytes.
inline bool same_bits(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes() || a.scalar_type() != b.scalar_type()) return false;
  const at::Tensor x = a.contiguous(), y = b.contiguous();
  return std::memcmp(x.data_ptr(), y.data_ptr(), static_cast<size_t>(x.numel()) * x.element_size()) == 0;
}

}  // namespace support
