// The learning rate over the steps of a stage.
#pragma once

#include <cstdint>

#include "rl/config.h"

namespace rl {

// Rate of `step` (0-based) of `steps`: lr * min(1, (step + 1) / warmup_steps) * decay, with decay
//   constant 1;  linear 1 - (1 - f) * step / steps;  cosine f + (1 - f) * (1 + cos(pi * step / steps)) / 2,
// and f = final_lr_share.
double learning_rate(const OptimizerConfig& config, int64_t step, int64_t steps);

}  // namespace rl
