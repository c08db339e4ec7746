// `ponder inspect`: gathers what a model is into one JSON object.
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "model/files/checkpoint_folder.h"
#include "model/files/json_fields.h"
#include "model/files/mapped_file.h"
#include "model/files/safetensors.h"
#include "model/gguf/gguf_import.h"
#include "model/parameter_counts.h"
#include "model/parameter_store.h"
#include "model/transformer.h"
#include "rl/commands/inspect.h"
#include "rl/commands/inspect_memory.h"
#include "rl/commands/model_source.h"
#include "rl/commands/tool_commands.h"
#include "rl/memory_plan.h"

namespace rl {
namespace {

using Json = nlohmann::ordered_json;
using kernels::Dtype;
namespace fs = std::filesystem;

Json attention_json(const model::ModelConfig& c) {
  if (c.attention == model::Attention::mla)
    return {{"kind", "mla"},           {"heads", c.heads},           {"query_rank", c.query_rank}, {"latent_rank", c.latent_rank},
            {"nope_size", c.nope_size}, {"rope_size", c.rope_size}, {"value_size", c.value_size}};
  Json j{{"kind", "gqa"}, {"heads", c.heads}, {"key_heads", c.key_heads}, {"head_size", c.head_size}};
  if (c.query_key_norm || c.whole_query_key_norm) j["query_key_norm"] = c.query_key_norm ? "each head" : "all heads";
  if (c.query_key_value_bias) j["biases"] = c.output_bias ? "q, k, v, output" : "q, k, v";
  return j;
}

Json layer_json(const model::ModelConfig& c, int64_t layer) {
  Json j{{"window", c.window_of(layer)}};
  if (!c.is_moe(layer)) {
    j["feed_forward"] = "dense", j["width"] = c.dense_width;
    return j;
  }
  const auto& r = c.router;
  j["feed_forward"] = "experts", j["width"] = c.expert_width;
  j["experts"] = r.experts, j["active"] = r.active, j["shared"] = c.shared_experts;
  j["router"] = r.scoring == kernels::RouterConfig::Scoring::sigmoid ? "sigmoid" : "softmax";
  j["weights_sum_to_one"] = r.normalize, j["scale"] = r.scale;
  if (r.groups > 1) j["groups"] = r.groups, j["groups_kept"] = r.groups_kept;
  return j;
}

// Runs of equal layers.
Json layers_json(const model::ModelConfig& c) {
  Json runs = Json::array();
  for (int64_t i = 0; i < c.layers; ++i) {
    const Json layer = layer_json(c, i);
    if (!runs.empty() && runs.back()["layer"] == layer)
      runs.back()["last"] = i;
    else
      runs.push_back({{"first", i}, {"last", i}, {"layer", layer}});
  }
  for (auto& run : runs) {
    const Json layer = run["layer"];
    run.erase("layer");
    run.update(layer);
  }
  return runs;
}

Json positions_json(const model::ModelConfig& c) {
  const auto& s = c.rope_scaling;
  Json j{{"context", c.max_positions}, {"rope_theta", c.rope_theta}, {"rope_scaling", s.kind}};
  if (s.kind != "none") j["factor"] = s.factor, j["original_positions"] = s.original_positions;
  return j;
}

int64_t weight_bytes(const model::ModelConfig& c, Dtype dtype) {
  int64_t bytes = 0;
  for (const auto& p : model::list_parameters(c)) bytes += p.size * (p.compute_float32 ? 4 : kernels::bytes_of(dtype));
  return bytes;
}

void describe_config(const model::ModelConfig& c, const std::string& architecture, Json& report) {
  report["architecture"] = {{"family", c.family}, {"class", architecture}, {"layers", c.layers},        {"width", c.width},
                            {"vocabulary", c.vocab_size}, {"tied_embedding", c.tied_embedding}, {"attention", attention_json(c)}};
  report["layers"] = layers_json(c);
  const auto counts = model::count_parameters(c);
  report["parameters"] = {{"total", counts.total}, {"active", counts.active}, {"experts", counts.experts}, {"embedding", counts.embedding}};
  report["bytes"] = {{"bf16", weight_bytes(c, Dtype::bf16)}, {"float32", weight_bytes(c, Dtype::float32)}};
  report["cache_bytes_per_token"] = {{"bf16", model::key_storage_bytes_per_row(c, Dtype::bf16)},
                                     {"float32", model::key_storage_bytes_per_row(c, Dtype::float32)}};
  report["positions"] = positions_json(c);
}

// The headers of all safetensors files; null when there is none.
Json weights_json(const std::string& folder, Json& notes, const model::ModelConfig& c) {
  std::map<std::string, int64_t> types;
  int64_t tensors = 0, bytes = 0, files = 0, further = 0;
  for (const auto& item : fs::directory_iterator(folder)) {
    if (item.path().extension() != ".safetensors") continue;
    const model::SafetensorsFile file(item.path().string());
    ++files;
    for (const auto& entry : file.entries()) {
      ++tensors, bytes += entry.bytes, types[entry.dtype] += entry.bytes;
      further += entry.name.starts_with(fmt::format("model.layers.{}.", c.layers));
    }
  }
  if (files == 0) return nullptr;
  if (further > 0) notes.push_back(fmt::format("{} tensors of a multi-token prediction module are left out when the model is loaded", further));
  if (types.contains("F8_E4M3")) notes.push_back("the F8_E4M3 matrices are dequantised with their block scales when the model is loaded");
  return {{"files", files}, {"tensors", tensors}, {"bytes", bytes}, {"bytes_of_type", types}};
}

Json tokenizer_json(const std::string& path, Json& notes) {
  try {
    const auto tokenizer = open_tokenizer(path);
    const auto file = Json::parse(tokenizer->json());
    const Json model = file.value("model", Json::object());
    std::string kind = model.value("type", "BPE");
    if (kind == "BPE") kind = model.value("byte_fallback", false) ? "BPE with byte fallback" : "byte-level BPE";
    if (kind == "byte-level BPE" && model.value("merges", Json::array()).empty()) kind = "characters";
    Json special = Json::array();
    for (const auto& token : file.value("added_tokens", Json::array()))
      if (token.value("special", false)) special.push_back(token.value("content", ""));
    return {{"kind", kind}, {"size", tokenizer->size()}, {"special", special}};
  } catch (const kernels::UsageError& error) {
    notes.push_back(fmt::format("the tokenizer cannot be used: {}", error.what()));
    return nullptr;
  }
}

// Where the chat template is; null without one.
Json template_json(const std::string& folder) {
  for (const char* name : {"chat_template.jinja", "chat_template.json"})
    if (fs::exists(folder + "/" + name)) return name;
  const std::string config = folder + "/tokenizer_config.json";
  if (!fs::exists(config)) return nullptr;
  const auto json = model::parse_json(model::read_text_file(config), config);
  return json.is_object() && json.contains("chat_template") ? Json("tokenizer_config.json") : Json(nullptr);
}

Json files_json(const std::string& folder) {
  std::vector<std::pair<std::string, int64_t>> files;
  for (const auto& item : fs::directory_iterator(folder))
    if (item.is_regular_file()) files.emplace_back(item.path().filename().string(), static_cast<int64_t>(item.file_size()));
  std::sort(files.begin(), files.end());
  Json list = Json::array();
  for (const auto& [name, bytes] : files) list.push_back({{"name", name}, {"bytes", bytes}});
  return list;
}

Json inspect_folder(const std::string& folder, model::ModelConfig& config) {
  Json report{{"path", folder}}, notes = Json::array();
  config = model::read_config(folder);
  const auto json = model::parse_json(model::read_text_file(folder + "/config.json"), folder + "/config.json");
  const auto classes = json.value("architectures", nlohmann::json::array());
  describe_config(config, classes.is_array() && !classes.empty() && classes[0].is_string() ? classes[0].get<std::string>() : "", report);
  report["weights"] = weights_json(folder, notes, config);
  if (report["weights"].is_null()) notes.push_back("no safetensors here: sizes are what config.json asks for");
  report["tokenizer"] = fs::exists(folder + "/tokenizer.json") ? tokenizer_json(folder, notes) : Json(nullptr);
  report["chat_template"] = template_json(folder);
  report["files"] = files_json(folder);
  report["notes"] = notes;
  return report;
}

Json inspect_gguf(const std::string& path, model::ModelConfig& config) {
  Json report{{"path", path}}, notes = Json::array();
  const model::MappedFile mapped(path);
  const auto gguf = model::parse_gguf(mapped.data(), mapped.size(), path);
  config = model::gguf_config(gguf, path);
  describe_config(config, "", report);
  std::map<std::string, int64_t> types;
  for (const auto& tensor : gguf.tensors)
    types[tensor.type->name] += tensor.elements / tensor.type->block_elements * tensor.type->block_bytes;
  int64_t bytes = 0;
  for (const auto& [type, size] : types) bytes += size;
  report["weights"] = {{"files", 1}, {"tensors", gguf.tensors.size()}, {"bytes", bytes}, {"bytes_of_type", types}};
  report["tokenizer"] = tokenizer_json(path, notes);
  report["chat_template"] = gguf.metadata.contains("tokenizer.chat_template") ? Json("the metadata") : Json(nullptr);
  report["files"] = Json::array();
  report["files"].push_back({{"name", fs::path(path).filename().string()}, {"bytes", mapped.size()}});
  notes.push_back("a GGUF file: `ponder import` makes a model folder of it, with its weights dequantised");
  report["notes"] = notes;
  return report;
}

}  // namespace

Json inspect_model(const std::string& path, int64_t budget) {
  model::ModelConfig config;
  Json report = is_gguf(path) ? inspect_gguf(path, config) : inspect_folder(path, config);
  report["memory"] = memory_of(config, budget);
  return report;
}

int run_inspect(const InspectOptions& options) {
  const int64_t budget = options.memory_mb > 0 ? options.memory_mb << 20 : machine_memory_bytes() / 10 * 8;
  const Json report = inspect_model(options.model, budget);
  if (options.json)
    fmt::print("{}\n", report.dump(1, ' ', false, Json::error_handler_t::replace));
  else
    fmt::print("{}", inspect_table(report));
  return 0;
}

}  // namespace rl
