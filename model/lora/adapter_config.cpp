#include "model/lora/adapter_config.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "kernels/error.h"
#include "model/files/json_fields.h"

namespace model {
namespace {

using Json = nlohmann::ordered_json;

// Keys that say nothing about what the adapted model computes, or are read.
const std::set<std::string> kHarmless{
    "r", "lora_alpha", "use_rslora", "base_model_name_or_path", "peft_type", "task_type", "auto_mapping", "peft_version",
    "revision", "inference_mode", "target_modules", "target_parameters", "exclude_modules", "layers_to_transform",
    "layers_pattern", "lora_dropout", "megatron_core",
    "runtime_config", "qalora_group_size", "ensure_weight_tying", "eva_config"};

bool is_empty(const nlohmann::json& value) {
  return value.is_null() || value == false || ((value.is_array() || value.is_object() || value.is_string()) && value.empty());
}

// These take a part of the base into the adapter and leave the rest in its place.
bool changes_base(const nlohmann::json& init) {
  if (!init.is_string()) return false;
  const auto& name = init.get_ref<const std::string&>();
  for (const char* start : {"pissa", "olora", "corda", "loftq", "lora_ga"})
    if (name.starts_with(start)) return true;
  return false;
}

// "key is value", for each part that is not read.
std::vector<std::string> unread_parts(const nlohmann::json& json) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : json.items()) {
    const bool fine = key == "bias"                ? value == "none" || is_empty(value)
                      : key == "init_lora_weights" ? !changes_base(value)
                                                   : is_empty(value) || kHarmless.count(key) > 0;
    if (!fine) parts.push_back(fmt::format("{} is {}", key, shown(value)));
  }
  return parts;
}

}  // namespace

AdapterConfig read_adapter_config(const std::string& directory) {
  const std::string file = directory + "/adapter_config.json";
  const auto json = parse_json(read_text_file(file), file);
  const JsonFields fields(json, file);
  if (const std::string type = fields.string("peft_type"); type != "LORA")
    fields.wrong("peft_type", "\"LORA\": no other adapter is read");
  std::string unread;
  for (const auto& part : unread_parts(json)) unread += (unread.empty() ? "" : "; ") + part;
  if (!unread.empty())
    kernels::fail_usage("{}: has parts that are not read here: {}. Merge the adapter with PEFT (merge_and_unload, "
                        "save_pretrained) and give the merged folder.", file, unread);
  AdapterConfig config;
  config.lora.rank = fields.integer("r", 1, 1 << 16);
  config.lora.alpha = fields.number("lora_alpha", 8.0);
  config.lora.rslora = fields.boolean("use_rslora", false);
  config.base = fields.string("base_model_name_or_path", "");
  config.lora.targets.clear();
  if (const auto* targets = fields.find("target_modules")) {
    if (targets->is_string()) config.lora.targets.push_back(targets->get<std::string>());
    for (const auto& target : *targets)
      if (targets->is_array() && target.is_string()) config.lora.targets.push_back(target.get<std::string>());
  }
  return config;
}

std::string adapter_config_json(const LoraConfig& lora, const PeftTargets& targets, const std::string& base) {
  Json json{{"alpha_pattern", Json::object()},
            {"auto_mapping", nullptr},
            {"base_model_name_or_path", base},
            {"bias", "none"},
            {"fan_in_fan_out", false},
            {"inference_mode", true},
            {"init_lora_weights", true},
            {"layers_pattern", nullptr},
            {"layers_to_transform", nullptr},
            {"lora_alpha", lora.alpha},
            {"lora_dropout", 0.0},
            {"modules_to_save", nullptr},
            {"peft_type", "LORA"},
            {"r", lora.rank},
            {"rank_pattern", Json::object()},
            {"revision", nullptr},
            {"target_modules", targets.modules},
            {"task_type", "CAUSAL_LM"},
            {"use_dora", false},
            {"use_rslora", lora.rslora}};
  if (lora.alpha == std::floor(lora.alpha) && std::abs(lora.alpha) < 1e9) json["lora_alpha"] = static_cast<int64_t>(lora.alpha);
  if (!targets.parameters.empty()) json["target_parameters"] = targets.parameters;
  return json.dump(2) + "\n";
}

}  // namespace model
