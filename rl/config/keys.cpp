#include "rl/config/keys.h"

#include "rl/config/key_list.h"

namespace rl {

const std::vector<Key>& config_keys() {
  static const std::vector<Key> keys = [] {
    std::vector<Key> all = model_keys();
    for (const auto& part : {step_keys(), course_keys()}) all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return keys;
}

const Key* find_key(const std::string& section, const std::string& name) {
  for (const auto& key : config_keys()) {
    if (key.section == section && key.name == name) return &key;
  }
  return nullptr;
}

std::vector<std::string> key_names(const std::string& section) {
  std::vector<std::string> names;
  for (const auto& key : config_keys()) {
    if (key.section == section) names.push_back(key.name);
  }
  return names;
}

const std::vector<std::string>& run_sections() {
  static const std::vector<std::string> sections = {"run", "model", "checkpoint", "log", "cost"};
  return sections;
}

const std::vector<std::string>& init_sections() {
  static const std::vector<std::string> sections = {"tokenizer"};
  return sections;
}

const std::vector<std::string>& stage_sections() {
  static const std::vector<std::string> sections = {"data", "template", "rollout",    "advantage", "loss",  "kl",
                                                    "correction", "moe", "optimizer", "filter",    "curriculum", "eval", "sft",
                                                    "early_stop", "alarm"};
  return sections;
}

std::vector<const Key*> dataset_keys() {
  std::vector<const Key*> keys;
  for (const char* section : {"dataset", "data", "template"})
    for (const auto& key : config_keys())
      if (key.section == section && key.path() != "data.name") keys.push_back(&key);
  return keys;
}

const Key* find_dataset_key(const std::string& name) {
  for (const Key* key : dataset_keys())
    if (key->name == name) return key;
  return nullptr;
}

}  // namespace rl
