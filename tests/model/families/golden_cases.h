// Small random checkpoints of every family with what transformers computed from them: tests/support/make_family_golden.py.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "kernels/error.h"
#include "kernels/tensor.h"
#include "model/files/safetensors.h"
#include "tests/support/source_dir.h"

namespace golden {

inline std::string family_folder() { return testing::source_dir() + "/tests/model/families/golden/"; }

inline std::vector<std::string> family_cases() {
  std::vector<std::string> names;
  for (const auto& folder : std::filesystem::directory_iterator(family_folder()))
    names.push_back(folder.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

// golden.safetensors of a case.
class FamilyValues {
 public:
  explicit FamilyValues(const std::string& name) : file_(family_folder() + name + "/golden.safetensors") {}

  const model::SafetensorsFile& file() const { return file_; }
  std::vector<float> floats(const std::string& name) const {
    const auto* entry = file_.find(name);
    if (!entry) kernels::fail("{}: no {}", file_.path(), name);
    int64_t size = 1;
    for (const int64_t n : entry->shape) size *= n;
    std::vector<float> values(static_cast<size_t>(size));
    model::read_as_float32(*entry, file_.path(), values.data());
    return values;
  }
  std::vector<std::vector<int32_t>> texts() const {
    std::vector<std::vector<int32_t>> all;
    for (int k = 0; const auto* entry = file_.find("tokens." + std::to_string(k)); ++k) {
      const auto* ids = reinterpret_cast<const int32_t*>(entry->data);
      all.emplace_back(ids, ids + entry->shape[0]);
    }
    return all;
  }

 private:
  model::SafetensorsFile file_;
};

}  // namespace golden
