// Steps of an RL stage that have nothing to train on, because every group was left out: the run goes on, and must not do so in
// silence.
#pragma once

#include "rl/advantage/training_groups.h"
#include "rl/run.h"

namespace rl {

// A warning and an event at the first such step, and again when a step trains. `groups`: all of the step; `training`: what is left.
void watch_idle_steps(Run& run, const StageConfig& stage, const std::vector<Group>& groups, const TrainingGroups& training);

}  // namespace rl
