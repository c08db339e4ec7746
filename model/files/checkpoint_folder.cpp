#include "model/files/checkpoint_folder.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "kernels/error.h"
#include "kernels/thread_pool.h"
#include "model/files/expert_name.h"
#include "model/files/json_fields.h"
#include "model/files/safetensors.h"

namespace model {

using kernels::fail_usage;

namespace {

constexpr int64_t kPieceSize = 1 << 18;  // elements that one task reads

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t n : shape) text += (text.empty() ? "" : ", ") + std::to_string(n);
  return "[" + text + "]";
}

// All tensors of a folder, whichever file they are in.
class FolderTensors {
 public:
  explicit FolderTensors(const std::string& directory) {
    const auto single = directory + "/model.safetensors", index = directory + "/model.safetensors.index.json";
    if (std::filesystem::exists(single)) {
      where_ = single;
      add(single);
    } else if (std::filesystem::exists(index)) {
      where_ = index;
      add_shards(directory, index);
    } else {
      fail_usage("{}: has neither model.safetensors nor model.safetensors.index.json. Other weight formats are not read.",
                 directory);
    }
  }

  bool has(const std::string& name) const { return tensors_.contains(name); }
  const std::string& dtype(const std::string& name) const { return tensors_.at(name).first->dtype; }

  // The tensor `name`, which must hold floats in `shape`.
  const SafetensorsEntry& use(const std::string& name, const std::vector<int64_t>& shape) {
    const auto& [entry, file] = find(name, shape);
    if (entry->shape != shape)
      fail_usage("{}: tensor {}: has shape {}, but the config asks for {}.", file->path(), name, shape_text(entry->shape),
                 shape_text(shape));
    check_is_float(*entry, file->path());
    used_.insert(name);
    return *entry;
  }

  // A tensor that no parameter has read is an error, unless it is known to carry nothing.
  void check_all_used(const ModelConfig& config) const {
    const auto mtp = fmt::format("model.layers.{}.", config.layers);  // DeepSeek's module for a second next token
    for (const auto& [name, at] : tensors_) {
      if (used_.contains(name) || name.ends_with("rotary_emb.inv_freq")) continue;
      if (config.tied_embedding && name == "lm_head.weight") continue;
      if (config.family == "deepseek_v3" && name.starts_with(mtp)) continue;
      fail_usage("{}: tensor {} of shape {} has no place in a {} of {} layers. Does config.json belong to these weights?",
                 at.second->path(), shown(name), shape_text(at.first->shape), config.family, config.layers);
    }
  }

 private:
  using Place = std::pair<const SafetensorsEntry*, const SafetensorsFile*>;

  void add(const std::string& path) {
    files_.push_back(std::make_unique<SafetensorsFile>(path));
    for (const auto& entry : files_.back()->entries())
      if (!tensors_.emplace(entry.name, Place(&entry, files_.back().get())).second)
        fail_usage("{}: tensor {} is in another file of the folder as well.", path, shown(entry.name));
  }

  void add_shards(const std::string& directory, const std::string& index) {
    const auto json = parse_json(read_text_file(index), index);
    const auto& map = JsonFields(json, index).need("weight_map");
    if (!map.is_object()) fail_usage("{}: weight_map: is {}, but must be an object of tensors and files.", index, shown(map));
    std::set<std::string> names;
    for (const auto& [tensor, file] : map.items()) {
      if (!file.is_string() || file.get<std::string>().find('/') != std::string::npos || file == "" || file == "..")
        fail_usage("{}: weight_map: {} is said to be in {}, which is no file name.", index, shown(tensor), shown(file));
      names.insert(file.get<std::string>());
    }
    for (const auto& name : names) add(directory + "/" + name);
    for (const auto& [tensor, file] : map.items())
      if (!has(tensor))
        fail_usage("{}: weight_map: {} is said to be in {}, but is not there.", index, shown(tensor), shown(file));
  }

  const Place& find(const std::string& name, const std::vector<int64_t>& shape) const {
    const auto it = tensors_.find(name);
    if (it == tensors_.end())
      fail_usage("{}: tensor {} of shape {} is missing. Does config.json belong to these weights?", where_, name,
                 shape_text(shape));
    return it->second;
  }

  std::string where_;
  std::vector<std::unique_ptr<SafetensorsFile>> files_;
  std::map<std::string, Place> tensors_;
  std::set<std::string> used_;
};

kernels::ReadRun reader_of(const SafetensorsEntry& entry) {
  return [&entry](int64_t first, int64_t count, float* scratch) { return read_run(entry, first, count, scratch); };
}

// A run never leaves its matrix.
kernels::ReadRun expert_reader(FolderTensors& tensors, const ExpertName& name, const Parameter& p) {
  const int64_t experts = p.shape[0], matrix = p.shape[1] * p.shape[2];
  const bool down = name.part == "down_proj";
  if (!tensors.has(name.prefix + (down ? "down_proj" : "gate_up_proj"))) {
    std::vector<const SafetensorsEntry*> entries;
    for (int64_t e = 0; e < experts; ++e) entries.push_back(&tensors.use(name.of(e), {p.shape[1], p.shape[2]}));
    return [=](int64_t first, int64_t count, float* scratch) {
      return read_run(*entries[static_cast<size_t>(first / matrix)], first % matrix, count, scratch);
    };
  }
  // Newer transformers keep the experts of a layer together: gate_up_proj [E, 2 ff, h] (gate first), down_proj [E, h, ff].
  if (down) return reader_of(tensors.use(name.prefix + "down_proj", p.shape));
  const SafetensorsEntry& both = tensors.use(name.prefix + "gate_up_proj", {experts, 2 * p.shape[1], p.shape[2]});
  const int64_t half = name.part == "up_proj" ? matrix : 0;
  return [=, &both](int64_t first, int64_t count, float* scratch) {
    return read_run(both, first / matrix * 2 * matrix + half + first % matrix, count, scratch);
  };
}

kernels::ReadRun reader_of(FolderTensors& tensors, const Parameter& p) {
  if (const auto name = expert_name(p)) return expert_reader(tensors, *name, p);
  return reader_of(tensors.use(p.name, p.shape));
}

}  // namespace

ModelConfig read_config(const std::string& directory) {
  if (!std::filesystem::is_directory(directory)) fail_usage("{}: is no folder. Give the path of a model folder.", directory);
  const auto file = directory + "/config.json";
  auto json = parse_json(read_text_file(file), file);
  // generation_config.json wins: it is what the model's makers sample with.
  const auto generation = directory + "/generation_config.json";
  if (std::filesystem::exists(generation) && json.is_object()) {
    const auto more = parse_json(read_text_file(generation), generation);
    const JsonFields fields(more, generation);
    for (const char* key : {"eos_token_id", "bos_token_id", "pad_token_id"})
      if (fields.find(key)) json[key] = *fields.find(key);
  }
  return config_from_json(json, file);
}

void read_weights(const std::string& directory, ParameterStore& store) {
  FolderTensors tensors(directory);
  struct Piece {
    const kernels::ReadRun* read;
    int64_t first, count;
    float* to;
  };
  std::vector<kernels::ReadRun> readers;
  for (const auto& p : store.parameters()) readers.push_back(reader_of(tensors, p));
  tensors.check_all_used(store.config());
  std::vector<Piece> pieces;
  for (size_t i = 0; i < readers.size(); ++i) {
    const Parameter& p = store.parameters()[i];
    const int64_t matrix = p.shape.size() == 3 ? p.shape[1] * p.shape[2] : p.size;
    for (int64_t first = 0; first < p.size; first += matrix)
      for (int64_t at = first; at < first + matrix; at += kPieceSize)
        pieces.push_back({&readers[i], at, std::min(kPieceSize, first + matrix - at), store.master_of(p.name) + at});
  }
  kernels::parallel_for(static_cast<int64_t>(pieces.size()), [&](int64_t i) {
    const Piece& piece = pieces[static_cast<size_t>(i)];
    const float* values = (*piece.read)(piece.first, piece.count, piece.to);
    if (values != piece.to) std::copy_n(values, piece.count, piece.to);
  });
}

std::shared_ptr<const WeightSet> read_packed_weights(const std::string& directory, const ModelConfig& config, kernels::Dtype dtype) {
  FolderTensors tensors(directory);
  const ParameterList list(config);
  std::map<std::string, kernels::ReadRun> readers;
  for (const auto& p : list.parameters()) readers[p.name] = reader_of(tensors, p);
  tensors.check_all_used(config);
  return pack_weights(list, [&](const Parameter& p) { return readers.at(p.name); }, dtype, 0);
}

struct FolderWeights::Impl {
  FolderTensors tensors;
  struct Place {
    kernels::ReadRun read;
    std::string dtype;
  };
  std::map<std::string, Place> places;
};

FolderWeights::FolderWeights(const std::string& directory, const ParameterList& list)
    : impl_(new Impl{FolderTensors(directory), {}}) {
  FolderTensors& tensors = impl_->tensors;
  for (const auto& p : list.parameters()) {
    auto read = reader_of(tensors, p);
    std::string first = p.name;
    if (const auto name = expert_name(p)) {
      first = name->of(0);
      if (!tensors.has(first)) first = name->prefix + (name->part == "down_proj" ? "down_proj" : "gate_up_proj");
    }
    impl_->places[p.name] = {std::move(read), tensors.dtype(first)};
  }
  tensors.check_all_used(list.config());
}

FolderWeights::~FolderWeights() = default;

const kernels::ReadRun& FolderWeights::reader(const Parameter& p) const { return impl_->places.at(p.name).read; }

const std::string& FolderWeights::dtype(const Parameter& p) const { return impl_->places.at(p.name).dtype; }

}  // namespace model
