// Advantages of a whole step: what [advantage] and a KL in the reward make of the groups' rewards.
//
// In this order:
//   1. kl.where = "reward": a completion's reward loses kl.coef * sum of its tokens' KL values (of the old policy to the
//      reference, as constants).
//   2. The group advantages; with combine = "normalize_then_sum" (GDPO, arXiv:2601.05242) those of each [[reward]] of role
//      "sum" alone, added by their weights.
//   3. kl.where = "token_reward": each token's advantage loses kl.coef * sum of the KL values from it to the end: the
//      return of REINFORCE++ (arXiv:2501.03262).
//   4. whiten: minus the step's mean, over the step's standard deviation + eps; counted by completion or by trained token.
#pragma once

#include <vector>

#include "rl/batch.h"
#include "rl/config.h"

namespace rl {

// Sets `advantage` of every sequence from `reward` and `parts`, and `advantages` where tokens of one differ. `weights`: of the
// parts. Throws kernels::Error if a group is too small or reference log-probabilities are missing.
void assign_advantages(std::vector<TrainGroup>& groups, const AdvantageConfig& config, const KlConfig& kl,
                       const std::vector<double>& weights);

}  // namespace rl
