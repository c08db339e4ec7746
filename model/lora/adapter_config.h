// PEFT's adapter_config.json.
//
// Format: the repository huggingface/peft, src/peft/tuners/lora/config.py. Read are r, lora_alpha, use_rslora and the base's
// name; which modules have a pair is seen in the file of tensors,
// whether target_modules or target_parameters names them. Dropout plays no part in reading. What would change the
// model in a way that is not read here (DoRA, modules_to_save, biases, rank or alpha patterns, an init
// that changes the base, and every key that is not known and not empty) is one UsageError that names all such keys.
#pragma once

#include <string>
#include <vector>

#include "model/lora/peft_targets.h"

namespace model {

struct AdapterConfig {
  LoraConfig lora;   // targets as the file has them, for show
  std::string base;  // base_model_name_or_path: a folder or a name of the Hugging Face hub
};

// Of a folder. Throws UsageError.
AdapterConfig read_adapter_config(const std::string& directory);

// As PEFT writes it.
std::string adapter_config_json(const LoraConfig& lora, const PeftTargets& targets, const std::string& base);

}  // namespace model
