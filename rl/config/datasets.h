// [[dataset]] entries: several data sets in one stage, each with keys of its own over those of [data] and [template].
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "rl/config/reader.h"

namespace rl {

// --set dataset.NAME.KEY=VALUE
struct DatasetOverride {
  std::string name, key;
  TomlNode value;
  Source source;
};

// Reads a stage's entries, once its [data] and [template] are settled, and tells its rewards which of them they score. `list` may
// be null: none. `prefix` is "" or "stage.", for errors. Returns where each entry came from.
std::vector<Source> read_datasets(const TomlNode* list, const std::string& prefix, const std::vector<DatasetOverride>& overrides,
                                  StageConfig& stage, ConfigErrors& errors);

// The rules of a stage's data: its sets, their names and rewards, and the curriculum.
void check_data_rules(const Resolved& resolved, size_t stage, ConfigErrors& errors);

}  // namespace rl
