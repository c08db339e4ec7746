// Group advantages: how much better a completion did than the others of its prompt.
//
// Source: DeepSeekMath, arXiv:2402.03300, section 4.1.2: A_i = (R_i - mean(R)) / (std(R) + eps); Dr. GRPO
// (arXiv:2503.20783) leaves the division out (scale = none); RLOO (arXiv:2402.14740): R_i minus the mean of the others.
// The standard deviation divides by G - 1 ("unbiased", as TRL and verl) or by G ("population").
#pragma once

#include <vector>

#include "rl/config.h"

namespace rl {

// `rewards`: the values of one group, unscored completions left out; two or more. Float64 throughout. Equal rewards give
// exactly 0. Throws kernels::Error for fewer than two.
std::vector<double> group_advantages(const std::vector<double>& rewards, const AdvantageConfig& config);

// Mean and the two standard deviations of a group, for metrics.
struct Moments {
  double mean = 0, unbiased_std = 0, population_std = 0;
};
Moments moments_of(const std::vector<double>& values);

}  // namespace rl
