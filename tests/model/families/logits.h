// Logits of a text, and how far they are from others.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "model/transformer.h"
#include "tests/support/catch.h"
#include "tests/support/one_text.h"

namespace golden {

// [n, vocab], of all rows of a text.
inline std::vector<float> logits_of(const model::WeightSet& weights, const std::vector<int32_t>& text) {
  auto batch = testing::one_text(text);
  batch.head_rows.push_back(batch.rows() - 1);
  batch.targets.push_back(0);
  batch.inverse_temperature.push_back(1.0f);
  auto storage = model::make_key_storage(weights.config, weights.dtype, batch.rows());
  const at::Tensor logits = model::forward_logits(weights, batch, storage);
  return {kernels::f32(logits), kernels::f32(logits) + logits.numel()};
}

inline double largest(const std::vector<float>& x) {
  double most = 0;
  for (const float v : x) most = std::max(most, std::abs(static_cast<double>(v)));
  return most;
}

inline double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double most = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double d = std::abs(static_cast<double>(a[i]) - b[i]);
    most = std::max(most, std::isnan(d) ? INFINITY : d);
  }
  return most;
}

}  // namespace golden
