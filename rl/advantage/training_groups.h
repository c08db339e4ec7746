// From scored groups to groups to train on: which members and which groups take part.
#pragma once

#include <vector>

#include "rl/batch.h"
#include "rl/collect.h"

namespace rl {

struct TrainingGroups {
  std::vector<TrainGroup> groups;     // rewards and parts set, advantages not yet
  std::vector<double> part_weights;   // of the parts: the [[reward]] entries of role "sum", in their order
  int64_t dropped = 0;                // groups that take no part
};

// Completions without a value leave their group; a group too small to compare within leaves the step, and with
// filter.zero_variance = "drop" one whose rewards are all equal. A part is 0 where a gate is shut or it does not apply.
TrainingGroups training_groups(const std::vector<Group>& groups, const StageConfig& stage);

}  // namespace rl
