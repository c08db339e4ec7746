// What reading a config says.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "kernels/error.h"
#include "rl/config.h"

namespace testing {

// The error of this TOML text; empty: there is none.
inline std::string config_error(const std::string& toml) {
  const std::string file = (std::filesystem::temp_directory_path() / "ponder_config_error.toml").string();
  std::ofstream(file) << toml;
  try {
    rl::read_config(file);
  } catch (const kernels::UsageError& error) {
    return error.what();
  }
  return "";
}

}  // namespace testing
