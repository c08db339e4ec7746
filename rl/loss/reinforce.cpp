#include "rl/loss/objective.h"

namespace rl {

ObjectiveTerm reinforce(const LossConfig&, double, double advantage, double logprob) {
  ObjectiveTerm term;
  term.loss = -advantage * logprob;
  term.by_logprob = -advantage;
  return term;
}

}  // namespace rl
