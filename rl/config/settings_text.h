// The settings of a resolved config as a flat list, to compare two of them.
#pragma once

#include <map>
#include <string>

namespace rl {

// "section#0.key" -> value as TOML writes it, from the text that config_to_toml made. Tables are numbered, and stages apart from
// them: "stage#0.steps".
std::map<std::string, std::string> settings_of(const std::string& toml);

}  // namespace rl
