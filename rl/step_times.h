// Where the seconds of a step go: the timing/ metrics.
//
// The parts prompts, prefill, decode, sample, reward_wait, score, pack, forward, backward, optimizer and other make up the
// step. Rewards and the next step's prompts run beside it on threads of their own, and count only where the step waits. So do
// prompts, prefill, decode, sample and reward_wait when the rollout runs beside training: then rollout_wait is in their place.
#pragma once

#include "rl/metrics.h"
#include "rl/policy.h"
#include "rollout/source.h"

namespace rl {

struct StepTimes {
  double prompts = 0;      // waiting for them
  double rollout_wait = -1;  // for a rollout that runs beside training; below 0: it does not
  double rollout = 0;      // from the first request to the last score, the parts below included
  double reward_wait = 0;
  double rewards = 0;      // what rewards worked on their own thread
  double score = 0;        // log-probabilities of the reference, or of the policy before its updates
  double train = 0;        // from packing to the new weights
  rollout::SourceStatistics before, after;  // around the rollout

  double sampled_tokens() const { return static_cast<double>(after.generated_tokens - before.generated_tokens); }
};

// What `after` counted that `before` had not, of all that metrics and costs are made of.
rollout::SourceStatistics difference(const rollout::SourceStatistics& after, const rollout::SourceStatistics& before);

// Of an RL step, `step` seconds long.
void append_step_times(Metrics& metrics, const StepTimes& times, const UpdateStatistics& update, double step);
// Of an SFT step.
void append_update_times(Metrics& metrics, const UpdateStatistics& update, double step);

}  // namespace rl
