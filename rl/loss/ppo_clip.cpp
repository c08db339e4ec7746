#include <algorithm>

#include "rl/loss/objective.h"

namespace rl {

ObjectiveTerm ppo_clip(const LossConfig& config, double ratio, double advantage, double) {
  const double low = 1.0 - config.clip_low, high = 1.0 + config.clip_high;
  ObjectiveTerm term;
  term.clipped_low = advantage < 0 && ratio < low;
  term.clipped_high = advantage > 0 && ratio > high;
  const bool flat = term.clipped_low || term.clipped_high;
  term.loss = -advantage * (flat ? std::clamp(ratio, low, high) : ratio);
  term.by_ratio = flat ? 0.0 : -advantage;
  if (config.dual_clip > 0 && advantage < 0 && ratio > config.dual_clip) {
    term.loss = -advantage * config.dual_clip;
    term.by_ratio = 0.0;
  }
  return term;
}

}  // namespace rl
