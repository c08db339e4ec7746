// The reference policy that the KL is to: the weights a stage began with, kept fresh as [kl] reference_update says.
#pragma once

#include "rl/run.h"

namespace rl {

// Makes the reference of the policy as it stands when the stage keeps one and there is none yet, and packs its weights.
void keep_reference(Run& run, const StageConfig& stage);

// After step `step` (0-based) is trained, when reference_every_steps divides the steps done:
//   every    reference = policy                 (DeepSeekMath, arXiv:2402.03300, Algorithm 1)
//   polyak   reference = a policy + (1 - a) reference, a = reference_polyak, on the float32 masters
// and with reset_optimizer the moments are zeroed (ProRL, arXiv:2505.24864, section 3.2).
void refresh_reference(Run& run, const StageConfig& stage, int64_t step);

// The parts of it: whether step `step` is such a step, and the move by `share` of the way (1: a copy, bit for bit).
bool reference_is_due(const KlConfig& kl, int64_t step);
void move_reference(at::Tensor& reference, const at::Tensor& policy, double share);

}  // namespace rl
