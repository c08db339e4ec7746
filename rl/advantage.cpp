#include "rl/advantage.h"

#include <algorithm>
#include <cmath>

#include "kernels/error.h"

namespace rl {

Moments moments_of(const std::vector<double>& values) {
  Moments m;
  if (values.empty()) return m;
  // The mean of equal numbers is that number; a sum divided by a count may miss it by an ulp.
  if (std::all_of(values.begin(), values.end(), [&](double x) { return x == values[0]; })) return {values[0], 0.0, 0.0};
  const double n = static_cast<double>(values.size());
  for (double x : values) m.mean += x;
  m.mean /= n;
  double squares = 0;
  for (double x : values) squares += (x - m.mean) * (x - m.mean);
  m.unbiased_std = std::sqrt(squares / (n - 1));
  m.population_std = std::sqrt(squares / n);
  return m;
}

std::vector<double> group_advantages(const std::vector<double>& rewards, const AdvantageConfig& config) {
  const size_t n = rewards.size();
  if (n < 2) kernels::fail("advantage: a group of {} scored completions; it takes two to compare.", n);
  const Moments m = moments_of(rewards);
  const double divisor =
      config.scale == "none" ? 1.0 : (config.std == "unbiased" ? m.unbiased_std : m.population_std) + config.eps;
  std::vector<double> advantages(n, 0.0);
  for (size_t i = 0; i < n; ++i) {
    double centered = rewards[i];
    if (config.baseline == "group_mean") centered = rewards[i] - m.mean;
    // R_i - (sum - R_i) / (n - 1) = n / (n - 1) * (R_i - mean)
    if (config.baseline == "leave_one_out") centered = static_cast<double>(n) / static_cast<double>(n - 1) * (rewards[i] - m.mean);
    advantages[i] = centered / divisor;
  }
  return advantages;
}

}  // namespace rl
