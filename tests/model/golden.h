// Golden files of this folder, and small helpers of the model tests.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kernels/error.h"
#include "model/files/json_fields.h"

#include "tests/support/source_dir.h"

namespace golden {

// Of a golden file; an absolute path stays as it is.
inline std::string path(const std::string& name) {
  return name.starts_with('/') ? name : testing::source_dir() + "/tests/model/golden/" + name;
}
inline std::string text(const std::string& name) { return model::read_text_file(path(name)); }
inline nlohmann::json json(const std::string& name) { return model::parse_json(text(name), name); }

// FNV-1a over bytes; ids are hashed as four little-endian bytes each.
inline uint64_t fnv(const void* data, size_t size, uint64_t h = 0xcbf29ce484222325u) {
  for (size_t i = 0; i < size; ++i) h = (h ^ static_cast<const unsigned char*>(data)[i]) * 0x100000001b3u;
  return h;
}
inline uint64_t fnv(const std::vector<int32_t>& ids, uint64_t h = 0xcbf29ce484222325u) {
  return fnv(ids.data(), ids.size() * 4, h);
}
inline std::string hex(uint64_t h) { return fmt::format("{:016x}", h); }

// The message of the UsageError that `run` throws; "no error" when it throws none.
template <typename Run>
std::string error_of(Run run) {
  try {
    run();
  } catch (const kernels::UsageError& e) {
    return e.what();
  }
  return "no error";
}

// An empty folder of its own, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "ponder-model-XXXXXX").string();
    if (!mkdtemp(name.data())) kernels::fail("no temporary folder");
    path_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace golden
