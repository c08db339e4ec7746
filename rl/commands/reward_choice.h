// The reward that a command is told to use: a built-in by name, or the [[reward]] entries of a TOML file.
#pragma once

#include <string>
#include <vector>

#include "reward/reward.h"

namespace rl {

// `profile`, if not empty, becomes the option `profile` of every built-in that has one. Throws UsageError if none has.
std::vector<reward::Settings> chosen_rewards(const std::string& name_or_file, const std::string& profile);

// Their weighted sum, as in a run; one entry of weight 1 for all data, or a metric: that reward itself.
std::unique_ptr<reward::Reward> make_chosen(const std::vector<reward::Settings>& settings);

}  // namespace rl
