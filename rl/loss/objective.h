// What a token's loss is made of: the objectives that [loss] kind names, one file each.
//
// An objective sees the ratio r of a token (or, with ratio_level = sequence, of its completion), the advantage A and the
// token's log-probability l under the policy. It returns the loss and its slopes by r and by l.
#pragma once

#include "rl/config.h"

namespace rl {

struct ObjectiveTerm {
  double loss = 0, by_ratio = 0, by_logprob = 0;
  bool clipped_low = false, clipped_high = false;  // by the bounds of the ratio, where they take effect
};

// PPO (arXiv:1707.06347, Eq. 7) with bounds of their own (DAPO, arXiv:2503.14476, Eq. 8) and the dual clip
// (arXiv:1912.09729, Eq. 5): loss = -min(r A, clip(r, 1 - low, 1 + high) A), and for A < 0 no more than -dual_clip A.
// The two-sided clip of INTELLECT-2 (arXiv:2505.07291), which caps the first r at delta > 1 + high, is the same function
// with dual_clip = delta.
ObjectiveTerm ppo_clip(const LossConfig& config, double ratio, double advantage, double logprob);

// MiniMax-M1, arXiv:2506.13585, Eqs. 4 and 5: loss = -sg(clip(r, 1 - low, 1 + high)) A l; sg holds it constant.
ObjectiveTerm cispo(const LossConfig& config, double ratio, double advantage, double logprob);

// Soft adaptive policy optimization, arXiv:2511.20347: loss = -(4 / tau) sigmoid(tau (r - 1)) A, with tau by the sign of A.
ObjectiveTerm sapo(const LossConfig& config, double ratio, double advantage, double logprob);

// REINFORCE: loss = -A l.
ObjectiveTerm reinforce(const LossConfig& config, double ratio, double advantage, double logprob);

using Objective = ObjectiveTerm (*)(const LossConfig&, double ratio, double advantage, double logprob);
Objective objective_of(const LossConfig& config);

}  // namespace rl
