// Small random models, one of each kind that the transformer has, in both dtypes.
#pragma once

#include <memory>
#include <string>
#include <vector>

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

}  // namespace gate
