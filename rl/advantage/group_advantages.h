// Group advantages: how much better a completion did than the others of its prompt.
//
//   A_i = (R_i - baseline) / divisor, as [advantage] says:
//   baseline group_mean       mean of the group               DeepSeekMath, arXiv:2402.03300, section 4.1.2
//            leave_one_out    mean of the others              RLOO, arXiv:2402.14740, section 2.2
//            length_weighted  sum n_j R_j / sum n_j           OPO, arXiv:2505.23585, section 3
//            batch_mean       mean of the whole step
//   scale    group_std        std of the group + eps          DeepSeekMath; the paper leaves open which std
//            batch_std        std of the step's rewards + eps
//            group_mean       mean of the group + eps         MaxRL: rewards are not negative
//            none                                             Dr. GRPO, arXiv:2503.20783, Eq. 3
// The standard deviation divides by the count less one ("unbiased", as TRL and verl) or by the count ("population").
#pragma once

#include <vector>

#include "rl/config.h"

namespace rl {

// Mean and the two standard deviations of some values; equal values have exactly their value and 0.
struct Moments {
  double mean = 0, unbiased_std = 0, population_std = 0;
};
Moments moments_of(const std::vector<double>& values);

// `rewards`: the values of one group, unscored completions left out; two or more where the settings compare within the
// group. `lengths`: trained tokens of each, for length_weighted. `batch`: of all rewards of the step, for batch_mean and
// batch_std. Float64 throughout. Equal rewards give exactly 0 for the baselines of the group. Throws kernels::Error.
std::vector<double> group_advantages(const std::vector<double>& rewards, const AdvantageConfig& config,
                                     const std::vector<double>& lengths = {}, const Moments& batch = {});

}  // namespace rl
