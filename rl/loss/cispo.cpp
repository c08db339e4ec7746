#include <algorithm>

#include "rl/loss/objective.h"

namespace rl {

ObjectiveTerm cispo(const LossConfig& config, double ratio, double advantage, double logprob) {
  const double low = 1.0 - config.clip_low, high = 1.0 + config.clip_high;
  const double weight = std::clamp(ratio, low, high);
  ObjectiveTerm term;
  term.loss = -weight * advantage * logprob;
  term.by_logprob = -weight * advantage;
  // Every token keeps its gradient; these count where PPO would have dropped it.
  term.clipped_low = advantage < 0 && ratio < low;
  term.clipped_high = advantage > 0 && ratio > high;
  return term;
}

}  // namespace rl
