#include "rl/advantage/group_advantages.h"

#include <algorithm>
#include <cmath>

#include "kernels/error.h"

namespace rl {
namespace {

double length_weighted_mean(const std::vector<double>& rewards, const std::vector<double>& lengths) {
  if (lengths.size() != rewards.size()) kernels::fail("advantage: {} rewards, but {} lengths.", rewards.size(), lengths.size());
  double sum = 0, tokens = 0;
  for (size_t i = 0; i < rewards.size(); ++i) {
    sum += lengths[i] * (rewards[i] - rewards[0]);  // around the first, so that equal rewards have their own value as mean
    tokens += lengths[i];
  }
  return rewards[0] + (tokens > 0 ? sum / tokens : 0.0);
}

double std_of(const Moments& m, const AdvantageConfig& config) {
  return config.std == "unbiased" ? m.unbiased_std : m.population_std;
}

double divisor_of(const Moments& group, const Moments& batch, const AdvantageConfig& config) {
  if (config.scale == "group_std") return std_of(group, config) + config.eps;
  if (config.scale == "batch_std") return std_of(batch, config) + config.eps;
  if (config.scale == "none") return 1.0;
  if (group.mean < 0)
    kernels::fail("advantage: scale = \"group_mean\" divides by the group's mean reward, which is {}; it takes rewards of 0 or more.",
                  group.mean);
  return group.mean + config.eps;
}

}  // namespace

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

std::vector<double> group_advantages(const std::vector<double>& rewards, const AdvantageConfig& config,
                                     const std::vector<double>& lengths, const Moments& batch) {
  const size_t size = rewards.size();
  if (size < 2 && config.compares_within_group())
    kernels::fail("advantage: a group of {} scored completions; it takes two to compare.", size);
  if (size == 0) return {};
  const double n = static_cast<double>(size);
  const Moments group = moments_of(rewards);
  const double divisor = divisor_of(group, batch, config);
  double baseline = 0, factor = 1;
  if (config.baseline == "group_mean") baseline = group.mean;
  // R_i - (sum - R_i) / (n - 1) = n / (n - 1) * (R_i - mean)
  if (config.baseline == "leave_one_out") baseline = group.mean, factor = n / (n - 1);
  if (config.baseline == "length_weighted") baseline = length_weighted_mean(rewards, lengths);
  if (config.baseline == "batch_mean") baseline = batch.mean;
  std::vector<double> advantages;
  for (const double reward : rewards) {
    const double difference = factor * (reward - baseline);
    advantages.push_back(difference == 0 ? 0.0 : difference / divisor);  // eps may be 0
  }
  return advantages;
}

}  // namespace rl
