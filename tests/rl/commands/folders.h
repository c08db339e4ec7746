// Folders and files of the tests of commands that write models.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "kernels/error.h"
#include "model/files/json_fields.h"
#include "model/files/safetensors.h"

namespace testing {

// An empty folder of its own, removed at the end.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "ponder-commands-XXXXXX").string();
    if (!mkdtemp(name.data())) kernels::fail("no temporary folder");
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

  // Writes a file below it, with the folders above, and gives its path.
  std::string put(const std::string& name, const std::string& text) const {
    const std::string path = *this / name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    model::write_file_atomically(path, text);
    return path;
  }
  std::string text(const std::string& name) const { return model::read_text_file(*this / name); }
  nlohmann::json json(const std::string& name) const { return model::parse_json(text(name), name); }

 private:
  std::string path_;
};

// Every file of a folder.
inline std::map<std::string, std::string> contents(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.is_regular_file()) files[entry.path().filename().string()] = model::read_text_file(entry.path().string());
  return files;
}

// The message of the UsageError that `run` throws; "no error" when it throws none.
template <typename Run>
std::string usage_error(Run run) {
  try {
    run();
  } catch (const kernels::UsageError& e) {
    return e.what();
  }
  return "no error";
}

// A file for `ponder init`; `more` goes to [model].
inline std::string sizes_toml(const std::string& more = "") {
  return "[model]\nlayers = 2\nwidth = 16\nheads = 4\nkey_heads = 2\nhead_size = 4\ndense_width = 32\nmax_positions = 64\n"
         "alphabet = \"0123456789+=;\"\nspecial_tokens = [\"<eos>\", \"<pad>\"]\neos_token = \"<eos>\"\n" + more;
}

}  // namespace testing
