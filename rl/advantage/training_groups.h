// From scored groups to groups to train on: which members and which groups take part.
#pragma once

#include <vector>

#include "rl/batch.h"
#include "rl/collect.h"

namespace rl {

// What a group is good for.
enum class GroupUse {
  none,    // too few members to compare, or none of them is trained on
  equal,   // its members are alike by filter.metric; of equal rewards every advantage is 0 (where they are compared within the group)
  learns,
};

// A group's members are its completions that have a value, without those cut off by the token limit where filter.truncated is
// "drop"; with "mask" these are members that are not trained on.
GroupUse use_of(const Group& group, const StageConfig& stage);

struct TrainingGroups {
  std::vector<TrainGroup> groups;     // rewards and parts set, advantages not yet
  std::vector<double> part_weights;   // of the parts: the [[reward]] entries of role "sum", in their order
  int64_t dropped = 0;                // groups that take no part
};

// The members of each group that is of use and not left out already; with filter.zero_variance = "drop" not those whose members
// are all alike. A part is 0 where a gate is shut or it does not apply.
TrainingGroups training_groups(const std::vector<Group>& groups, const StageConfig& stage);

}  // namespace rl
