// The presets of configs/presets/, which the program carries inside: a file says preset = "dapo" wherever it lies.
#pragma once

#include <string>
#include <vector>

namespace rl {

const std::vector<std::string>& preset_names();
// The preset's TOML with its sources in comments; null when there is none of that name.
const std::string* find_preset(const std::string& name);

}  // namespace rl
