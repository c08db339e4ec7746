#include "model/lora/adapter_folder.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "kernels/error.h"
#include "model/families/tensor_names.h"
#include "model/files/checkpoint_folder.h"
#include "model/files/safetensors.h"
#include "model/files/safetensors_writer.h"
#include "model/lora/adapted_weights.h"
#include "model/lora/peft_targets.h"

namespace model {
namespace {

namespace fs = std::filesystem;
using kernels::fail_usage;

const std::string kEnd = ".weight", kDown = ".lora_A.weight", kUp = ".lora_B.weight";

// The modules of a matrix in files: one, or one an expert.
std::vector<std::string> file_modules(const ModelConfig& config, const Parameter& matrix) {
  auto names = file_names(config, matrix);
  for (auto& name : names) name = "base_model.model." + name.substr(0, name.size() - kEnd.size());
  return names;
}

// Copies [rows, columns] between matrices whose rows have other lengths.
void copy_block(const float* from, int64_t from_stride, float* to, int64_t to_stride, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; ++r) std::copy_n(from + r * from_stride, columns, to + r * to_stride);
}

class Reader {
 public:
  Reader(const std::string& path, int64_t rank, const ModelConfig& config) : file_(path), rank_(rank), config_(config) {}

  bool has(const Parameter& matrix) const {
    for (const auto& module : file_modules(config_, matrix))
      if (file_.find(module + kDown) || file_.find(module + kUp)) return true;
    return false;
  }

  void read(const Parameter& matrix, ParameterStore& into) {
    const size_t last = matrix.shape.size() - 1;
    const int64_t out = matrix.shape[last - 1], in = matrix.shape[last], padded = padded_rank(rank_);
    float *down = into.master_of(module_of(matrix) + kDown), *up = into.master_of(module_of(matrix) + kUp);
    for (const auto& module : file_modules(config_, matrix)) {
      const auto a = values(module + kDown, {rank_, in}), b = values(module + kUp, {out, rank_});
      copy_block(a.data(), in, down, in, rank_, in);
      copy_block(b.data(), rank_, up, padded, out, rank_);
      down += padded * in, up += out * padded;
    }
  }

  void check_all_used() const {
    for (const auto& entry : file_.entries()) {
      if (used_.count(entry.name) > 0) continue;
      if (entry.name.find(".experts.lora_") != std::string::npos || entry.name.find(".experts.base_layer.") != std::string::npos)
        fail_usage("{}: has a tensor '{}', a pair over all experts at once, as PEFT makes them on transformers 5. Only pairs of "
                   "single experts are read. Merge the adapter with PEFT (merge_and_unload, save_pretrained) and give the merged "
                   "folder.", file_.path(), entry.name);
      fail_usage("{}: has a tensor '{}', which belongs to no product of this model ({}).", file_.path(), entry.name,
                 config_.family);
    }
  }

 private:
  std::vector<float> values(const std::string& name, const std::vector<int64_t>& shape) {
    const SafetensorsEntry* entry = file_.find(name);
    if (!entry) fail_usage("{}: has no tensor '{}'; a pair needs both lora_A and lora_B.", file_.path(), name);
    if (entry->shape != shape)
      fail_usage("{}: '{}' is [{}], but with rank {} it must be [{}, {}].", file_.path(), name, fmt::join(entry->shape, ", "), rank_,
                 shape[0], shape[1]);
    check_is_float(*entry, file_.path());
    std::vector<float> out(static_cast<size_t>(shape[0] * shape[1]));
    read_as_float32(*entry, file_.path(), out.data());
    used_.insert(name);
    return out;
  }

  SafetensorsFile file_;
  int64_t rank_;
  const ModelConfig& config_;
  std::set<std::string> used_;
};

bool has_file(const std::string& directory, const char* file) { return fs::is_regular_file(fs::path(directory) / file); }

}  // namespace

bool is_adapter_folder(const std::string& directory) {
  return has_file(directory, "adapter_config.json") && !has_file(directory, "config.json");
}

std::string ModelPlace::texts() const { return !adapter.empty() && has_file(adapter, "tokenizer.json") ? adapter : base; }

ModelPlace find_model_place(const std::string& path, const std::string& base) {
  if (!is_adapter_folder(path)) {
    if (!base.empty())
      fail_usage("{}: is no adapter (it has no adapter_config.json), so it stands on no base. Leave --base out.", path);
    return {path, ""};
  }
  if (!base.empty()) return {base, path};
  const std::string named = read_adapter_config(path).base;
  for (const fs::path& place : {fs::path(named), fs::path(path) / named})
    if (!named.empty() && fs::is_regular_file(place / "config.json")) return {place.string(), path};
  fail_usage("{}: the adapter stands on \"{}\", which is no model folder here. Give the folder of its base with --base.", path,
             named);
}

Adapter read_adapter(const std::string& directory, const ModelConfig& base) {
  const AdapterConfig config = read_adapter_config(directory);
  const std::string path = (fs::path(directory) / "adapter_model.safetensors").string();
  if (!fs::exists(path))
    fail_usage("{}: has no adapter_model.safetensors. Save the adapter with PEFT's safe_serialization.", directory);
  Reader reader(path, config.lora.rank, base);
  const auto in_file = [&](const Parameter& p) { return reader.has(p); };
  Adapter adapter{config.lora, ParameterStore(adapter_parameters(base, config.lora.rank, in_file), /*with_training=*/false)};
  for (const Parameter& p : list_parameters(base))
    if (can_be_adapted(p) && adapter.pairs.has(module_of(p) + kDown)) reader.read(p, adapter.pairs);
  reader.check_all_used();
  if (adapter.pairs.size() == 0) fail_usage("{}: holds no tensor: there is nothing to add to the base.", path);
  return adapter;
}

std::shared_ptr<const WeightSet> read_packed_weights(const ModelPlace& place, const ModelConfig& config, kernels::Dtype dtype) {
  const auto base = read_packed_weights(place.base, config, dtype);
  if (place.adapter.empty()) return base;
  const Adapter adapter = read_adapter(place.adapter, config);
  return adapted_weights(*base, adapter.pairs, adapter.lora.scale(), base->version);
}

void write_adapter(const std::string& directory, const ParameterStore& pairs, const LoraConfig& lora, const std::string& base) {
  std::vector<NamedTensor> tensors;
  const int64_t rank = lora.rank, padded = padded_rank(rank);
  for (const Parameter& p : list_parameters(pairs.config())) {
    if (!can_be_adapted(p) || !pairs.has(module_of(p) + kDown)) continue;
    const size_t last = p.shape.size() - 1;
    const int64_t out = p.shape[last - 1], in = p.shape[last];
    const float *down = pairs.master_of(module_of(p) + kDown), *up = pairs.master_of(module_of(p) + kUp);
    for (const auto& module : file_modules(pairs.config(), p)) {
      const at::Tensor a = kernels::empty_f32({rank, in}), b = kernels::empty_f32({out, rank});
      copy_block(down, in, kernels::f32(a), in, rank, in);
      copy_block(up, padded, kernels::f32(b), rank, out, rank);
      tensors.push_back({module + kDown, a});
      tensors.push_back({module + kUp, b});
      down += padded * in, up += out * padded;
    }
  }
  const fs::path folder(directory);
  write_safetensors((folder / "adapter_model.safetensors").string(), tensors);
  write_file_atomically((folder / "adapter_config.json").string(), adapter_config_json(lora, peft_targets(pairs), base));
}

}  // namespace model
