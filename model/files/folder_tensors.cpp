#include "model/files/folder_tensors.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>

#include "kernels/error.h"
#include "model/families/tensor_names.h"
#include "model/files/json_fields.h"
#include "model/files/number_formats.h"

namespace model {

using kernels::fail_usage;
using kernels::ReadRun;

namespace {

const std::string kEmbedding = "model.embed_tokens.weight", kHead = "lm_head.weight";

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t n : shape) text += (text.empty() ? "" : ", ") + std::to_string(n);
  return "[" + text + "]";
}

ReadRun reader_of(const SafetensorsEntry& entry) {
  const auto values = [&entry](int64_t first, int64_t count, float* scratch) { return read_run(entry, first, count, scratch); };
  const uint16_t* bits = bf16_values(entry);
  if (!bits) return values;
  return {values, [bits](int64_t first, int64_t) { return bits + first; }};
}

// A link counts even where it leads nowhere: opening it says so.
bool is_there(const std::string& path) { return std::filesystem::exists(std::filesystem::symlink_status(path)); }

[[noreturn]] void fail_without_weights(const std::string& directory) {
  std::string pickle, gguf, shard;
  for (const auto& file : std::filesystem::directory_iterator(directory)) {
    const auto name = file.path().filename().string();
    const auto kind = file.path().extension().string();
    const bool pickled = kind == ".bin" || kind == ".pt" || kind == ".pth" || kind == ".pkl" || kind == ".ckpt";
    std::string* kept = pickled ? &pickle : kind == ".gguf" ? &gguf : kind == ".safetensors" ? &shard : nullptr;
    if (kept && (kept->empty() || name < *kept)) *kept = name;  // the same one on every file system
  }
  if (shard == "adapter_model.safetensors")
    fail_usage("{}: has {} and no other weights: it holds a LoRA adapter, not a model. Merge it into its model first.", directory,
               shard);
  if (!shard.empty())
    fail_usage("{}: has {}, but neither model.safetensors nor model.safetensors.index.json, which says what is in which "
               "file. Was the folder copied whole?",
               directory, shard);
  if (!pickle.empty())
    fail_usage("{}: has {}, a pickle, and no safetensors. Reading a pickle can run any code that its writer put in, so it is "
               "not read. Convert it where you trust it, with transformers:\n"
               "  python -c \"from transformers import AutoModelForCausalLM as M; "
               "M.from_pretrained('{}', dtype='auto').save_pretrained('{}')\"",
               directory, pickle, directory, directory);
  if (!gguf.empty())
    fail_usage("{}: has {} and no safetensors. Make a model folder of it: ponder import {}/{} DIR", directory, gguf,
               directory, gguf);
  fail_usage("{}: has neither model.safetensors nor model.safetensors.index.json. Other weight formats are not read.",
             directory);
}

// What may have happened to a tensor of the wrong shape.
std::string shape_hint(const std::vector<int64_t>& got, std::vector<int64_t> wanted) {
  if (wanted.size() < 2) return "";
  std::swap(wanted[wanted.size() - 1], wanted[wanted.size() - 2]);
  return got == wanted ? " It looks transposed: a weight is [out, in]." : "";
}

// "model.layers.61." of "model.layers.61.eh_proj.weight"; the layer's number in `layer`.
std::string layer_prefix(const std::string& name, int64_t& layer) {
  const std::string start = "model.layers.";
  if (!name.starts_with(start)) return "";
  size_t end = start.size();
  layer = 0;
  while (end < name.size() && name[end] >= '0' && name[end] <= '9' && layer < (1 << 24)) layer = layer * 10 + (name[end++] - '0');
  return end > start.size() && end < name.size() && name[end] == '.' ? name.substr(0, end + 1) : "";
}

}  // namespace

FolderTensors::FolderTensors(const std::string& directory) : directory_(directory) {
  const auto single = directory + "/model.safetensors", index = directory + "/model.safetensors.index.json";
  if (!std::filesystem::is_directory(directory)) fail_usage("{}: is no folder. Give the path of a model folder.", directory);
  if (is_there(single)) {
    where_ = single;
    add(single);
  } else if (is_there(index)) {
    where_ = index;
    add_shards(index);
  } else {
    fail_without_weights(directory);
  }
}

void FolderTensors::add(const std::string& path) {
  files_.push_back(std::make_unique<SafetensorsFile>(path));
  for (const auto& entry : files_.back()->entries())
    if (!tensors_.emplace(entry.name, Place{&entry, files_.back().get()}).second)
      fail_usage("{}: tensor {} is in another file of the folder as well.", path, shown(entry.name));
}

void FolderTensors::add_shards(const std::string& index) {
  const auto json = parse_json(read_text_file(index), index);
  const auto& map = JsonFields(json, index).need("weight_map");
  if (!map.is_object()) fail_usage("{}: weight_map: is {}, but must be an object of tensors and files.", index, shown(map));
  std::set<std::string> names;
  for (const auto& [tensor, file] : map.items()) {
    if (!file.is_string() || file.get<std::string>().find('/') != std::string::npos || file == "" || file == "..")
      fail_usage("{}: weight_map: {} is said to be in {}, which is no file name.", index, shown(tensor), shown(file));
    names.insert(file.get<std::string>());
  }
  for (const auto& name : names) add(directory_ + "/" + name);
  for (const auto& [tensor, file] : map.items())
    if (!has(tensor))
      fail_usage("{}: weight_map: {} is said to be in {}, but is not there.", index, shown(tensor), shown(file));
}

const FolderTensors::Place& FolderTensors::find(const std::string& name, const std::vector<int64_t>& shape) const {
  const auto it = tensors_.find(name);
  if (it != tensors_.end()) return it->second;
  std::string hint = "Does config.json belong to these weights?";
  if (name == kHead) hint = "If the embedding is the head, config.json must say \"tie_word_embeddings\": true.";
  if (where_.ends_with("/model.safetensors") && is_there(where_ + ".index.json"))
    hint = "The folder has model.safetensors.index.json too; if its shards are the model, remove model.safetensors.";
  if (name.starts_with("model.") && has(name.substr(6)))
    hint = fmt::format("The folder has {} instead: save the whole model for causal language modelling, not its body alone.",
                       name.substr(6));
  fail_usage("{}: tensor {} of shape {} is missing. {}", where_, name, shape_text(shape), hint);
}

ReadRun FolderTensors::read(const std::string& name, const std::vector<int64_t>& shape) {
  const Place& place = find(name, shape);
  const SafetensorsEntry& entry = *place.entry;
  if (entry.shape != shape)
    fail_usage("{}: tensor {}: has shape {}, but config.json asks for {}.{}", place.file->path(), name, shape_text(entry.shape),
               shape_text(shape), shape_hint(entry.shape, shape));
  used_.insert(name);
  if (entry.dtype == "F8_E4M3") return read_fp8(name, place);
  check_is_float(entry, place.file->path());
  return reader_of(entry);
}

ReadRun FolderTensors::read_fp8(const std::string& name, const Place& place) {
  const SafetensorsEntry& entry = *place.entry;
  if (!blocks_) {
    const auto file = directory_ + "/config.json";
    const auto json = parse_json(read_text_file(file), file);
    blocks_ = read_fp8_blocks(JsonFields(json, file));
    if (!blocks_)
      fail_usage("{}: tensor {}: is F8_E4M3, but {} has no quantization_config with weight_block_size.", place.file->path(),
                 name, file);
  }
  if (entry.shape.size() != 2)
    fail_usage("{}: tensor {}: is F8_E4M3 of shape {}, but only matrices may be.", place.file->path(), name,
               shape_text(entry.shape));
  const auto [rows, columns] = *blocks_;
  const auto pieces = [](int64_t n, int64_t size) { return (n + size - 1) / size; };
  const int64_t width = entry.shape[1], scales_a_row = pieces(width, columns);
  const auto scale_name = name + "_scale_inv";
  const Place& scale = find(scale_name, {pieces(entry.shape[0], rows), scales_a_row});
  if (scale.entry->dtype == "F8_E4M3")
    fail_usage("{}: tensor {}: is F8_E4M3, but scales must be F32, F16, BF16 or F64.", scale.file->path(), scale_name);
  const ReadRun scales = read(scale_name, {pieces(entry.shape[0], rows), scales_a_row});
  return [=, &entry, rows = rows, columns = columns](int64_t first, int64_t count, float* scratch) {
    for (int64_t i = 0; i < count;) {
      const int64_t row = (first + i) / width, column = (first + i) % width;
      const int64_t end = std::min({count, i + width - column, i + columns - column % columns});
      float storage;
      const float by = *scales(row / rows * scales_a_row + column / columns, 1, &storage);
      for (; i < end; ++i) scratch[i] = float_from_e4m3(entry.data[first + i]) * by;
    }
    return static_cast<const float*>(scratch);
  };
}

ReadRun FolderTensors::read_experts(const ModelConfig& config, const Parameter& p) {
  const int64_t experts = p.shape[0], matrix = p.shape[1] * p.shape[2];
  const auto merged = newer_file_name(config, p);
  if (!has(merged)) {
    std::vector<ReadRun> each;
    for (const auto& name : file_names(config, p)) each.push_back(read(name, {p.shape[1], p.shape[2]}));
    const auto values = [=](int64_t first, int64_t count, float* scratch) {
      return each[static_cast<size_t>(first / matrix)](first % matrix, count, scratch);
    };
    if (!std::all_of(each.begin(), each.end(), [](const ReadRun& r) { return r.has_bf16(); })) return values;
    return {values, [=](int64_t first, int64_t count) {
              return each[static_cast<size_t>(first / matrix)].bf16(first % matrix, count);
            }};
  }
  if (merged.ends_with("down_proj")) return read(merged, p.shape);
  const ReadRun both = read(merged, {experts, 2 * p.shape[1], p.shape[2]});
  const int64_t half = p.name.ends_with("up_proj.weight") ? matrix : 0;
  const auto place = [=](int64_t first) { return first / matrix * 2 * matrix + half + first % matrix; };
  const auto values = [=](int64_t first, int64_t count, float* scratch) { return both(place(first), count, scratch); };
  if (!both.has_bf16()) return values;
  return {values, [=](int64_t first, int64_t count) { return both.bf16(place(first), count); }};
}

ReadRun FolderTensors::read(const ModelConfig& config, const Parameter& p) {
  if (is_experts(p)) return read_experts(config, p);
  const auto newer = newer_file_name(config, p);
  return read(!newer.empty() && has(newer) ? newer : file_names(config, p)[0], p.shape);
}

void FolderTensors::check_tied_head() {
  const auto head = tensors_.find(kHead), embedding = tensors_.find(kEmbedding);
  if (head == tensors_.end() || embedding == tensors_.end()) return;
  used_.insert(kHead);
  const SafetensorsEntry &a = *head->second.entry, &b = *embedding->second.entry;
  if (a.dtype != b.dtype || a.shape != b.shape || std::memcmp(a.data, b.data, static_cast<size_t>(a.bytes)) != 0)
    fail_usage("{}: tensor {}: differs from {}, but config.json says \"tie_word_embeddings\": true. Set it to false to use both.",
               head->second.file->path(), kHead, kEmbedding);
}

// DeepSeek's modules that predict further tokens are layers after the last, with a product eh_proj.
void FolderTensors::skip_prediction_modules(const ModelConfig& config) {
  std::set<std::string> modules;
  for (const auto& [name, place] : tensors_) {
    int64_t layer = 0;
    const auto prefix = layer_prefix(name, layer);
    if (layer >= config.layers && name == prefix + "eh_proj.weight") modules.insert(prefix);
  }
  for (const auto& [name, place] : tensors_) {
    int64_t layer = 0;
    if (modules.contains(layer_prefix(name, layer))) used_.insert(name);
  }
  static std::atomic<bool> said{false};
  if (!modules.empty() && !said.exchange(true))
    fmt::print(stderr, "note: {}: {} for multi-token prediction, {}*, is left out; the model itself does not need it.\n",
               where_, modules.size() == 1 ? "the module" : "each module", *modules.begin());
}

void FolderTensors::check_all_used(const ModelConfig& config) const {
  for (const auto& [name, place] : tensors_) {
    if (used_.contains(name) || name.ends_with("rotary_emb.inv_freq")) continue;
    fail_usage("{}: tensor {} of shape {} has no place in a {} of {} layers. Does config.json belong to these weights?",
               place.file->path(), shown(name), shape_text(place.entry->shape), config.family, config.layers);
  }
}

std::vector<ReadRun> FolderTensors::readers(const ParameterList& list) {
  const ModelConfig& config = list.config();
  std::vector<ReadRun> readers;
  for (const auto& p : list.parameters()) readers.push_back(read(config, p));
  if (config.tied_embedding) check_tied_head();
  if (config.family == "deepseek_v3") skip_prediction_modules(config);
  check_all_used(config);
  return readers;
}

const std::string& FolderTensors::dtype_of(const ModelConfig& config, const Parameter& p) const {
  const std::string name = file_names(config, p)[0];
  return dtype_of(has(name) ? name : newer_file_name(config, p));
}

}  // namespace model
