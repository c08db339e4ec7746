#include "rl/evaluation/statistics.h"

#include <algorithm>
#include <cmath>

#include "kernels/error.h"
#include "kernels/rng.h"
#include "rl/advantage/group_advantages.h"

namespace rl {
namespace {

constexpr double z95 = 1.959963984540054;
constexpr uint64_t bootstrap_step = 0xb0075;      // keeps these numbers apart from others of Purpose::data
constexpr int64_t most_cells = int64_t{1} << 26;  // of the count of sign patterns

double deviation_over_root(const std::vector<double>& values) {
  if (values.size() < 2) return 0;
  return moments_of(values).unbiased_std / std::sqrt(static_cast<double>(values.size()));
}

double resampled_mean(const std::vector<double>& values, const kernels::RandomKey& first) {
  const uint64_t count = values.size();
  kernels::RandomKey key = first;
  double sum = 0;
  for (uint64_t done = 0; done < count; ++key.position) {
    for (const uint32_t word : kernels::random_words(key)) {
      if (done++ == count) break;
      sum += values[static_cast<size_t>(word * count >> 32)];
    }
  }
  return sum / static_cast<double>(count);
}

}  // namespace

double pass_at_k(int64_t n, int64_t c, int64_t k) {
  if (k < 1 || k > n || c < 0 || c > n)
    kernels::fail("pass_at_k: n is {}, c is {}, k is {}; it needs 1 <= k <= n and 0 <= c <= n.", n, c, k);
  if (n - c < k) return 1;
  double none = 1;
  for (int64_t i = n - c + 1; i <= n; ++i) none *= 1 - static_cast<double>(k) / static_cast<double>(i);
  return 1 - none;
}

double mean(const std::vector<double>& values) { return moments_of(values).mean; }

double standard_error(const std::vector<double>& values) { return deviation_over_root(values); }

double within_run_noise(const std::vector<double>& runs) { return deviation_over_root(runs); }

Interval wilson_interval(double p, int64_t count) {
  if (count < 1) return {0, 1};
  const double n = static_cast<double>(count), zz = z95 * z95;
  const double middle = p + zz / (2 * n), reach = z95 * std::sqrt(p * (1 - p) / n + zz / (4 * n * n));
  return {std::max(0.0, (middle - reach) / (1 + zz / n)), std::min(1.0, (middle + reach) / (1 + zz / n))};
}

Interval bootstrap_interval(const std::vector<double>& values, uint64_t seed, int64_t resamples) {
  if (values.empty() || resamples < 1) return {};
  std::vector<double> means(static_cast<size_t>(resamples));
  for (int64_t r = 0; r < resamples; ++r) {
    means[static_cast<size_t>(r)] = resampled_mean(values, {.seed = seed,
                                                            .purpose = kernels::Purpose::data,
                                                            .step = bootstrap_step,
                                                            .group = static_cast<uint64_t>(r),
                                                            .sample = 0,
                                                            .position = 0});
  }
  std::sort(means.begin(), means.end());
  const auto all = static_cast<double>(resamples);
  return {means[static_cast<size_t>(std::floor(0.025 * all))], means[static_cast<size_t>(std::ceil(0.975 * all)) - 1]};
}

double percentile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<int64_t>(std::ceil(q * static_cast<double>(values.size()) - 1e-9));
  return values[static_cast<size_t>(std::clamp<int64_t>(rank - 1, 0, static_cast<int64_t>(values.size()) - 1))];
}

double sign_flip_p(const std::vector<double>& differences, int64_t grid) {
  std::vector<int64_t> sizes;
  int64_t observed = 0, total = 0;
  for (const double d : differences) {
    const auto steps = static_cast<int64_t>(std::llround(d * static_cast<double>(grid)));
    if (steps == 0) continue;
    observed += steps;
    sizes.push_back(std::abs(steps));
    total += sizes.back();
  }
  if (sizes.empty()) return 1;
  if (static_cast<double>(sizes.size()) * static_cast<double>(total) > static_cast<double>(most_cells) && grid > 1)
    return sign_flip_p(differences, grid / 2);
  // share[s]: of all patterns, those whose positive terms sum to s; the sum is then 2 s - total.
  std::vector<double> share(static_cast<size_t>(total) + 1, 0.0);
  share[0] = 1;
  int64_t reach = 0;
  for (const int64_t size : sizes) {
    reach += size;
    for (int64_t s = reach; s >= 0; --s) {
      const double with = s >= size ? share[static_cast<size_t>(s - size)] : 0.0;
      share[static_cast<size_t>(s)] = 0.5 * (share[static_cast<size_t>(s)] + with);
    }
  }
  double p = 0;
  for (int64_t s = 0; s <= total; ++s)
    if (std::abs(2 * s - total) >= std::abs(observed)) p += share[static_cast<size_t>(s)];
  return std::min(1.0, p);
}

PairedComparison compare_pairs(const std::vector<double>& a, const std::vector<double>& b, int64_t grid) {
  if (a.size() != b.size()) kernels::fail("compare_pairs: A has {} problems and B has {}.", a.size(), b.size());
  PairedComparison out;
  out.problems = static_cast<int64_t>(a.size());
  if (a.empty()) return out;
  std::vector<double> differences;
  double better = 0, worse = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    differences.push_back(b[i] - a[i]);
    better += b[i] > a[i];
    worse += b[i] < a[i];
  }
  out.difference = mean(differences);
  out.standard_error = standard_error(differences);
  out.interval = {out.difference - z95 * out.standard_error, out.difference + z95 * out.standard_error};
  out.better = better / static_cast<double>(a.size());
  out.worse = worse / static_cast<double>(a.size());
  out.p_value = sign_flip_p(differences, grid);
  return out;
}

}  // namespace rl
