// A folder with an adapter, in PEFT's format: adapter_config.json and adapter_model.safetensors.
//
// Tensors are called base_model.model.MODULE.lora_A.weight [rank, in] and ...lora_B.weight [out, rank], MODULE as the files
// of the model's family call it; each expert has its own pair (the form that loads into every version of transformers).
#pragma once

#include <memory>
#include <string>

#include "model/lora/adapter_config.h"
#include "model/weight_set.h"

namespace model {

// Has adapter_config.json and is no model itself.
bool is_adapter_folder(const std::string& directory);

// Where the weights are: a model folder, or an adapter and the base that it stands on.
struct ModelPlace {
  std::string base;     // has config.json
  std::string adapter;  // empty: none
  // The adapter's folder where it has a tokenizer, else the base: tokenizer and chat template.
  std::string texts() const;
};
// `path`: a model folder or an adapter folder. `base`: for an adapter, instead of the one that it names; empty: that one, from
// here or from the adapter's folder. Throws UsageError when the base is no folder, or for a base without an adapter.
ModelPlace find_model_place(const std::string& path, const std::string& base = "");

// The pairs, with an even number of rows (lora_parameters.h).
struct Adapter {
  LoraConfig lora;
  ParameterStore pairs;
};
// Each missing, extra, wrongly shaped or wrongly typed tensor is one UsageError.
Adapter read_adapter(const std::string& directory, const ModelConfig& base);
// Compute weights of a place; `config` is the base's.
std::shared_ptr<const WeightSet> read_packed_weights(const ModelPlace& place, const ModelConfig& config, kernels::Dtype dtype);

// adapter_model.safetensors in float32, then adapter_config.json. The folder must exist.
void write_adapter(const std::string& directory, const ParameterStore& pairs, const LoraConfig& lora, const std::string& base);

}  // namespace model
