#include "rl/loss/objective.h"

#include "kernels/error.h"

namespace rl {

Objective objective_of(const LossConfig& config) {
  if (config.kind == "ppo_clip") return ppo_clip;
  if (config.kind == "cispo") return cispo;
  if (config.kind == "sapo") return sapo;
  if (config.kind == "reinforce") return reinforce;
  kernels::fail_usage("loss.kind: is \"{}\", but must be one of: ppo_clip, cispo, sapo, reinforce.", config.kind);
}

}  // namespace rl
