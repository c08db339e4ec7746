// The ops' equations, written once and slowly. With T = double they are the reference, with float the plain expression
// that a kernel is measured against. Matrices are row after row.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace reference {

template <typename T>
using Values = std::vector<T>;

template <typename T>
Values<T> rms_norm(const Values<T>& x, const Values<T>& weight, T eps) {
  const size_t width = weight.size();
  Values<T> y(x.size());
  for (size_t row = 0; row < x.size(); row += width) {
    T sum = 0;
    for (size_t i = 0; i < width; ++i) sum += x[row + i] * x[row + i];
    const T inverse = T(1) / std::sqrt(sum / static_cast<T>(width) + eps);
    for (size_t i = 0; i < width; ++i) y[row + i] = x[row + i] * inverse * weight[i];
  }
  return y;
}

template <typename T>
struct RmsNormGradient { Values<T> x, weight; };

template <typename T>
RmsNormGradient<T> rms_norm_backward(const Values<T>& dy, const Values<T>& x, const Values<T>& weight, T eps) {
  const size_t width = weight.size();
  RmsNormGradient<T> grad{Values<T>(x.size()), Values<T>(width)};
  for (size_t row = 0; row < x.size(); row += width) {
    T sum = 0, along = 0;
    for (size_t i = 0; i < width; ++i) sum += x[row + i] * x[row + i];
    const T inverse = T(1) / std::sqrt(sum / static_cast<T>(width) + eps);
    for (size_t i = 0; i < width; ++i) along += dy[row + i] * weight[i] * x[row + i] * inverse;
    along /= static_cast<T>(width);
    for (size_t i = 0; i < width; ++i) {
      const T xhat = x[row + i] * inverse;
      grad.x[row + i] = inverse * (dy[row + i] * weight[i] - xhat * along);
      grad.weight[i] += dy[row + i] * xhat;
    }
  }
  return grad;
}

template <typename T>
T sigmoid(T z) { return T(1) / (T(1) + std::exp(-z)); }

template <typename T>
Values<T> swiglu(const Values<T>& gate, const Values<T>& up) {
  Values<T> y(gate.size());
  for (size_t i = 0; i < y.size(); ++i) y[i] = gate[i] * sigmoid(gate[i]) * up[i];
  return y;
}

// x [heads' elements of one row]: pair j turns by position * frequency[j] and grows by `magnitude`.
template <typename T>
Values<T> rope(Values<T> x, int64_t heads, int64_t size, int64_t offset, const std::vector<double>& frequency, double position,
               bool interleaved, double magnitude = 1.0) {
  const auto pairs = static_cast<int64_t>(frequency.size());
  for (int64_t h = 0; h < heads; ++h)
    for (int64_t j = 0; j < pairs; ++j) {
      const int64_t first = h * size + offset + (interleaved ? 2 * j : j), second = interleaved ? first + 1 : first + pairs;
      const T c = static_cast<T>(magnitude * std::cos(position * frequency[static_cast<size_t>(j)]));
      const T s = static_cast<T>(magnitude * std::sin(position * frequency[static_cast<size_t>(j)]));
      T &a = x[static_cast<size_t>(first)], &b = x[static_cast<size_t>(second)];
      const T turned = a * c - b * s;
      b = b * c + a * s;
      a = turned;
    }
  return x;
}

// Scores of one row of logits.
template <typename T>
Values<T> router_scores(const Values<T>& logits, bool softmax) {
  Values<T> s(logits.size());
  const T largest = *std::max_element(logits.begin(), logits.end());
  T sum = 0;
  for (size_t e = 0; e < s.size(); ++e) sum += s[e] = softmax ? std::exp(logits[e] - largest) : sigmoid(logits[e]);
  if (softmax)
    for (T& v : s) v /= sum;
  return s;
}

// Weights of the chosen experts of one row.
template <typename T>
Values<T> router_weights(const Values<T>& logits, const std::vector<int32_t>& chosen, bool softmax, bool normalize, T scale) {
  const auto s = router_scores(logits, softmax);
  T sum = 0;
  for (const int32_t e : chosen) sum += s[static_cast<size_t>(e)];
  Values<T> w;
  for (const int32_t e : chosen) w.push_back(scale * s[static_cast<size_t>(e)] / (normalize ? sum : T(1)));
  return w;
}

}  // namespace reference
