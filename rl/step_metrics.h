// Metrics of a step's completions and updates, under TRL's names where TRL has them.
#pragma once

#include "rl/collect.h"
#include "rl/metrics.h"
#include "rl/update.h"

namespace rl {

// completions/*, sampling/kept_mass_mean, sampling/kept_ids_mean. Returns the mean length.
double append_length_metrics(Metrics& metrics, const std::vector<Group>& groups);

// loss, policy_loss, entropy, entropy_coef, kl, clip_ratio/* or cispo_clip_ratio, sampling/*, correction/*. Shares are of
// trained tokens, or of completions where ratio_level is not token.
void append_loss_metrics(Metrics& metrics, const Updates& done, const StageConfig& stage);

}  // namespace rl
