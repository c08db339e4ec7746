#include "model/files/shards.h"

#include <fmt/core.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "model/files/safetensors.h"

namespace model {

namespace {

constexpr const char* kIndex = "model.safetensors.index.json";

// The first tensor of each file.
std::vector<size_t> cut(const std::vector<StreamedTensor>& tensors, int64_t shard_bytes) {
  std::vector<size_t> first{0};
  int64_t size = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (size > 0 && size + tensors[i].bytes > shard_bytes) {
      first.push_back(i);
      size = 0;
    }
    size += tensors[i].bytes;
  }
  return first;
}

std::string index_text(const std::vector<StreamedTensor>& tensors, const std::vector<std::string>& file_of) {
  nlohmann::json map = nlohmann::json::object();  // sorted by name
  int64_t total = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    map[tensors[i].name] = file_of[i];
    total += tensors[i].bytes;
  }
  return nlohmann::json{{"metadata", {{"total_size", total}}}, {"weight_map", map}}.dump(2) + "\n";
}

void remove_others(const std::string& directory, const std::set<std::string>& written) {
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    const bool weights = name.starts_with("model") && (name.ends_with(".safetensors") || name == kIndex);
    if (weights && !written.contains(name)) std::filesystem::remove(entry.path());
  }
}

}  // namespace

int64_t count_shards(const std::vector<StreamedTensor>& tensors, int64_t shard_bytes) {
  return static_cast<int64_t>(cut(tensors, shard_bytes).size());
}

void write_shards(const std::string& directory, const std::vector<StreamedTensor>& tensors, int64_t shard_bytes) {
  auto first = cut(tensors, shard_bytes);
  const size_t count = first.size();
  first.push_back(tensors.size());
  std::vector<std::string> file_of;
  std::set<std::string> written;
  for (size_t i = 0; i < count; ++i) {
    const auto name = count == 1 ? "model.safetensors" : fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, count);
    const auto begin = tensors.begin();
    stream_safetensors(directory + "/" + name, {begin + static_cast<long>(first[i]), begin + static_cast<long>(first[i + 1])});
    file_of.insert(file_of.end(), first[i + 1] - first[i], name);
    written.insert(name);
  }
  if (count > 1) {
    write_file_atomically(directory + "/" + kIndex, index_text(tensors, file_of));
    written.insert(kIndex);
  }
  remove_others(directory, written);
}

}  // namespace model
