// How many parameters a model has, and how many of them one token meets.
#pragma once

#include <cstdint>

#include "model/config.h"

namespace model {

struct ParameterCounts {
  int64_t total = 0;
  // All but the routed experts that a token does not visit: in a layer with E experts of which K are active, K / E of
  // their parameters. The embedding counts whole, as the papers of these families count it.
  int64_t active = 0;
  int64_t experts = 0;    // of routed experts, in all layers
  int64_t embedding = 0;  // embedding and head; once when they are tied
};

ParameterCounts count_parameters(const ModelConfig& config);

}  // namespace model
