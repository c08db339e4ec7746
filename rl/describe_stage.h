// What `ponder check` says of a stage.
#pragma once

#include <string>

#include "rl/config.h"

namespace rl {

// Its steps, groups, loss and rewards, in lines; `data`: those about its data, put behind the first.
std::string describe_stage(const StageConfig& stage, const std::string& data);

}  // namespace rl
