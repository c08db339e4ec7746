// Small data files for tests of what is drawn from them.
#pragma once

#include <filesystem>
#include <fstream>

#include "rl/config.h"

namespace testing {

// Rows with questions PREFIX0, PREFIX1, ... and answers 0, 1, ..., in their order.
inline rl::DataConfig rows_file(const std::string& prefix, int64_t count) {
  const std::string file = (std::filesystem::temp_directory_path() / ("ponder_rows_" + prefix + ".jsonl")).string();
  std::ofstream out(file);
  for (int64_t i = 0; i < count; ++i) out << R"({"question": ")" << prefix << i << R"(", "answer": )" << i << "}\n";
  rl::DataConfig data;
  data.train = file;
  data.shuffle = false;
  return data;
}

inline rl::DatasetConfig dataset(const std::string& name, double weight, rl::DataConfig data) {
  data.name = name;
  return {.name = name, .weight = weight, .rewards = {}, .data = std::move(data), .chat_template = {}};
}

}  // namespace testing
