#include "rl/config/settings_text.h"

#include <cstdint>
#include <sstream>

namespace rl {

std::map<std::string, std::string> settings_of(const std::string& toml) {
  std::map<std::string, std::string> settings;
  std::istringstream lines(toml);
  std::string line, section;
  int64_t tables = 0, stages = 0;
  while (std::getline(lines, line)) {
    if (line == "[[stage]]") section = "stage#" + std::to_string(stages++), ++tables;
    else if (line.rfind("[[", 0) == 0) section = line.substr(2, line.find("]]") - 2) + "#" + std::to_string(tables++);
    else if (line.rfind("[", 0) == 0) section = line.substr(1, line.find(']') - 1) + "#" + std::to_string(tables);
    else if (const size_t equals = line.find(" = "); equals != std::string::npos) settings[section + "." + line.substr(0, equals)] = line.substr(equals + 3);
  }
  return settings;
}

}  // namespace rl
