// Comparing what a kernel gave with what it should have given.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/tensor.h"
#include "tests/support/catch.h"

namespace testing {

// Equal shapes, dtypes and bytes.
inline bool same_bits(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes() || a.scalar_type() != b.scalar_type()) return false;
  const at::Tensor x = a.contiguous(), y = b.contiguous();
  return std::memcmp(x.data_ptr(), y.data_ptr(), static_cast<size_t>(x.numel()) * x.element_size()) == 0;
}

// The elements of a float32 or bf16 tensor.
inline std::vector<float> values(const at::Tensor& x) {
  const auto wide = kernels::widened(x);
  const float* p = kernels::f32(wide);
  return {p, p + wide.numel()};
}

template <typename To = double>
std::vector<To> as(const std::vector<float>& x) {
  return {x.begin(), x.end()};
}

inline double max_abs(const std::vector<double>& x) {
  double most = 0.0;
  for (const double v : x) most = std::max(most, std::isnan(v) ? INFINITY : std::abs(v));
  return most;
}

template <typename A>
double max_difference(const std::vector<A>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double most = 0.0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double d = std::abs(static_cast<double>(a[i]) - b[i]);
    most = std::max(most, std::isnan(d) ? INFINITY : d);
  }
  return most;
}

// A kernel may be twice as wrong as the plain expression in its dtype.
inline void require_as_accurate_as(const std::vector<float>& got, const std::vector<float>& plain,
                                   const std::vector<double>& exact) {
  const double error = max_difference(got, exact);
  const double budget = 2.0 * max_difference(plain, exact) + 1e-7 * max_abs(exact);
  INFO("max error " << error << ", budget " << budget);
  REQUIRE(error <= budget);
}

// Against central differences of a float64 function. A step of 1e-5 leaves 1e-9 of error, float32 far more.
template <typename Function>
void require_gradient(const std::vector<float>& got, const std::vector<double>& x, Function f, double tolerance = 1e-5) {
  REQUIRE(got.size() == x.size());
  std::vector<double> slope(x.size()), at = x;
  for (size_t i = 0; i < x.size(); ++i) {
    const double h = 1e-5;
    at[i] = x[i] + h;
    const double above = f(at);
    at[i] = x[i] - h;
    slope[i] = (above - f(at)) / (2 * h);
    at[i] = x[i];
  }
  const double error = max_difference(got, slope), budget = tolerance * (1.0 + max_abs(slope));
  INFO("max error " << error << ", budget " << budget);
  REQUIRE(error <= budget);
}

template <typename T>
T dot(const std::vector<T>& a, const std::vector<T>& b) {
  T sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

inline std::string bytes(const at::Tensor& x) {
  std::string b(static_cast<size_t>(x.nbytes()), '\0');
  if (!b.empty()) std::memcpy(b.data(), x.const_data_ptr(), b.size());
  return b;
}

}  // namespace testing
