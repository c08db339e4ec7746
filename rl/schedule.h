// The learning rate over the steps of a stage.
#pragma once

#include <cstdint>

#include "rl/config.h"

namespace rl {

// Rate of `step` (0-based) of `steps`: lr * min(1, (step + 1) / w) * decay, with w = warmup_steps, f = final_lr_share and decay
//   constant  1
//   linear    1 - (1 - f) * step / steps: it falls through the warm-up too
//   cosine    1 in the warm-up, then f + (1 - f) * (1 + cos(pi * (step - w) / (steps - w))) / 2, which with f = 0 is transformers'
//             get_cosine_schedule_with_warmup; only its warm-up is one step later, so that its first step, at a rate of 0, is lost
double learning_rate(const OptimizerConfig& config, int64_t step, int64_t steps);

}  // namespace rl
