// What `ponder check` says of a stage.
#pragma once

#include <string>

#include "rl/config.h"

namespace rl {

// Its steps, groups, loss, rewards and evaluations, in lines; `data`: those about its data, put behind the first; `rows`: how many
// it has, which epochs are counted by; `best`: checkpoint.keep_best.
std::string describe_stage(const StageConfig& stage, const std::string& data, int64_t rows, const std::string& best);

}  // namespace rl
