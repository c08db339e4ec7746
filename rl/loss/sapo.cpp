#include <cmath>

#include "rl/loss/objective.h"

namespace rl {

ObjectiveTerm sapo(const LossConfig& config, double ratio, double advantage, double) {
  const double tau = advantage > 0 ? config.sapo_tau_positive : config.sapo_tau_negative;
  const double gate = 1.0 / (1.0 + std::exp(-tau * (ratio - 1.0)));
  ObjectiveTerm term;
  term.loss = -4.0 / tau * gate * advantage;
  term.by_ratio = -4.0 * gate * (1.0 - gate) * advantage;
  return term;
}

}  // namespace rl
