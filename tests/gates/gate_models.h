// Small random models, one of each kind that the transformer has, in both dtypes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/lora/lora_parameters.h"
#include "model/parameter_store.h"
#include "model/weight_set.h"

namespace gate {

struct Model {
  std::string name;
  model::ModelConfig config;
};

// Every family at least once, and every part that a family can have: biases, windows, clipped q, k and v, each rope
// scaling, each router, MLA with and without compressed queries, with and without shared experts.
std::vector<Model> models();

// Masters made of the seed alone: normals, norms around 1, biases that are not 0.
void fill(model::ParameterStore& store, uint64_t seed);

// As a program that starts anew would make them: own store, own packing.
std::shared_ptr<const model::WeightSet> fresh_weights(const model::ModelConfig& config, kernels::Dtype dtype, uint64_t seed);

// The same with a LoRA adapter on every product: an odd rank, a scale that is no power of two, B not 0.
struct Adapted {
  model::LoraConfig lora{.rank = 3, .alpha = 5};
  std::shared_ptr<const model::WeightSet> base, weights;
  model::ParameterStore pairs;

  Adapted(const model::ModelConfig& config, kernels::Dtype dtype, uint64_t seed, bool with_training = false);
};

}  // namespace gate
