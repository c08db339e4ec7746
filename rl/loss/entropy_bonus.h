// The entropy bonus's coefficient, which may move to hold a target entropy.
//
// Source: Skywork-OR1, arXiv:2505.22312, section 4 (adaptive entropy control), with TRL's order: an update uses the
// coefficient only while the update before it had an entropy of no more than the target; after it the coefficient rises by
// entropy_coef_delta if its entropy was no more than the target, else it falls; within [0, entropy_coef_max].
#pragma once

#include <algorithm>

#include "rl/config.h"

namespace rl {

struct EntropyBonus {
  double coef = 0;
  double last_entropy = -1;  // of the last update, mean over its tokens; negative: none yet

  EntropyBonus() = default;
  explicit EntropyBonus(double start) : coef(start) {}
  double applied(const LossConfig& config) const {
    if (config.entropy_target == 0) return config.entropy_coef;
    return last_entropy >= 0 && last_entropy <= config.entropy_target ? coef : 0.0;
  }
  void after_update(const LossConfig& config, double entropy) {
    if (config.entropy_target == 0) return;
    last_entropy = entropy;
    coef = entropy <= config.entropy_target ? std::min(coef + config.entropy_coef_delta, config.entropy_coef_max)
                                            : std::max(coef - config.entropy_coef_delta, 0.0);
  }
};

}  // namespace rl
