// The samples of a dumped step as the step itself had them: groups of records with their scores.
#pragma once

#include "rl/collect.h"
#include "rl/rollouts/files.h"

namespace rl {

// Outcomes have status, value, components and texts; which part of a reward failed and why is not in the dump. Throws UsageError
// when the lines and the records of the step are not of the same samples, kernels::Error for a damaged file.
std::vector<Group> read_groups(const DumpedStep& step);

}  // namespace rl
