// The optimizer updates of one step: epochs over the rollout, each cut into updates_per_step shares of its groups.
#pragma once

#include "rl/loss/correction.h"
#include "rl/run.h"
#include "rl/step_times.h"

namespace rl {

struct Updates {
  UpdateStatistics first, all;  // `all` adds up; its norm is the largest, aux_loss the mean, the rate the last update's
  CorrectionSums correction;
  double entropy_coef = 0;      // of the last update
  int64_t count = 0;
};

// Fills in what the loss needs and the rollout does not know: reference_logprobs, old_logprobs when they are recomputed, and
// corrections.
void score_groups(Run& run, const StageConfig& stage, std::vector<TrainGroup>& groups, CorrectionSums& correction, StepTimes& times);

// The first update's ratio is exactly 1 where old log-probabilities are this policy's; later ones' is against the same.
// Groups are shared out whole, in their order, the same way in each epoch. Throws NonFinite for an update that cannot be applied;
// those before it are then in the weights and in `done`.
void update_policy(Run& run, const StageConfig& stage, const std::vector<TrainGroup>& groups, int64_t step, int64_t steps,
                   StepTimes& times, Updates& done);

}  // namespace rl
