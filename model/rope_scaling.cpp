#include "model/rope_scaling.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/error.h"

namespace model {
namespace {

constexpr double kTurn = 2 * std::numbers::pi;

// Low frequencies are divided by `factor`, high ones stay, those between are blended.
double llama3_scaled(double frequency, const RopeScaling& s) {
  const double wavelength = kTurn / frequency;
  const double length = static_cast<double>(s.original_positions);
  if (wavelength > length / s.low_frequency_factor) return frequency / s.factor;
  if (wavelength < length / s.high_frequency_factor) return frequency;
  const double smooth = (length / wavelength - s.low_frequency_factor) / (s.high_frequency_factor - s.low_frequency_factor);
  return (1 - smooth) * frequency / s.factor + smooth * frequency;
}

// Of the pairs, those before `low` keep their frequency, those from `high` on are divided by the factor.
struct Ramp {
  double low = 0, high = 0;

  // The pair, in fractions, that turns `turns` times within the original length.
  static double pair_of(double turns, const ModelConfig& c) {
    const double length = static_cast<double>(c.rope_scaling.original_positions);
    return static_cast<double>(c.rotary_size()) * std::log(length / (turns * kTurn)) / (2 * std::log(c.rope_theta));
  }

  explicit Ramp(const ModelConfig& c) : low(pair_of(c.rope_scaling.beta_fast, c)), high(pair_of(c.rope_scaling.beta_slow, c)) {
    if (c.rope_scaling.truncate) low = std::floor(low), high = std::ceil(high);
    low = std::max(low, 0.0);
    high = std::min(high, static_cast<double>(c.rotary_size() - 1));
    if (low == high) high += 0.001;
  }
  double at(int64_t pair) const { return std::clamp((static_cast<double>(pair) - low) / (high - low), 0.0, 1.0); }
};

double mscale(double factor, double weight) { return factor <= 1 ? 1.0 : 0.1 * weight * std::log(factor) + 1.0; }

}  // namespace

std::vector<double> rope_inverse_frequencies(const ModelConfig& config) {
  const RopeScaling& s = config.rope_scaling;
  const int64_t size = config.rotary_size();
  std::vector<double> frequencies;
  for (int64_t j = 0; j < size / 2; ++j)
    frequencies.push_back(std::pow(config.rope_theta, -2.0 * static_cast<double>(j) / static_cast<double>(size)));
  if (s.kind == "linear") {
    for (double& f : frequencies) f /= s.factor;
  } else if (s.kind == "llama3") {
    for (double& f : frequencies) f = llama3_scaled(f, s);
  } else if (s.kind == "yarn") {
    const Ramp ramp(config);
    for (int64_t j = 0; j < size / 2; ++j) {
      double& f = frequencies[static_cast<size_t>(j)];
      f = f / s.factor * ramp.at(j) + f * (1 - ramp.at(j));
    }
  } else if (s.kind != "none") {
    kernels::fail_usage("rope_scaling: is \"{}\", which is not supported. Supported: none, linear, llama3, yarn.", s.kind);
  }
  return frequencies;
}

double rope_magnitude(const ModelConfig& config) {
  const RopeScaling& s = config.rope_scaling;
  if (s.kind != "yarn") return 1.0;
  if (s.attention_factor > 0) return s.attention_factor;
  if (s.mscale != 0 && s.mscale_all_dim != 0) return mscale(s.factor, s.mscale) / mscale(s.factor, s.mscale_all_dim);
  return mscale(s.factor, 1.0);
}

double attention_scale(const ModelConfig& config) {
  const bool mla = config.attention == Attention::mla;
  const int64_t size = mla ? config.nope_size + config.rope_size : config.head_size;
  const double scale = 1.0 / std::sqrt(static_cast<double>(size));
  const RopeScaling& s = config.rope_scaling;
  if (!mla || s.kind == "none" || s.mscale_all_dim == 0) return scale;
  const double m = mscale(s.factor, s.mscale_all_dim);
  return scale * m * m;
}

}  // namespace model
