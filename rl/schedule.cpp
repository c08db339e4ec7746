#include "rl/schedule.h"

#include <algorithm>
#include <cmath>

namespace rl {

double learning_rate(const OptimizerConfig& config, int64_t step, int64_t steps) {
  const double done = static_cast<double>(step) / static_cast<double>(std::max<int64_t>(1, steps)), rest = config.final_lr_share;
  double decay = 1.0;
  if (config.schedule == "linear") decay = 1.0 - (1.0 - rest) * done;
  if (config.schedule == "cosine" && step >= config.warmup_steps) {
    const auto falling = static_cast<double>(std::max<int64_t>(1, steps - config.warmup_steps));
    decay = rest + (1.0 - rest) * 0.5 * (1.0 + std::cos(3.14159265358979323846 * static_cast<double>(step - config.warmup_steps) / falling));
  }
  const double warmup = config.warmup_steps > 0 ? std::min(1.0, static_cast<double>(step + 1) / static_cast<double>(config.warmup_steps)) : 1.0;
  return config.lr * warmup * decay;
}

}  // namespace rl
