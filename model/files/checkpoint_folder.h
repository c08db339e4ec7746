// Reads a model folder in Hugging Face's layout: config.json, generation_config.json, model.safetensors (or shards with an
// index). write_folder.h writes one.
#pragma once

#include <memory>
#include <string>

#include "model/parameter_store.h"
#include "model/weight_set.h"

namespace model {

ModelConfig read_config(const std::string& directory);
// Fills store.master. Each missing, extra, wrongly shaped or truncated tensor is one clear UsageError that names tensor,
// file and expectation.
void read_weights(const std::string& directory, ParameterStore& store);
// The same straight into compute weights, without masters: for sampling and evaluation.
std::shared_ptr<const WeightSet> read_packed_weights(const std::string& directory, const ModelConfig& config,
                                                     kernels::Dtype dtype);

}  // namespace model
