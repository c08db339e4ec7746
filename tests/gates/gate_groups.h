// Groups to train on: odd and even lengths, a completion of one token, untrained tokens, one group with a single branch.
#pragma once

#include <memory>

#include "model/weight_set.h"
#include "rl/batch.h"

namespace gate {

constexpr float kInverseTemperature = 1.0f / 1.3f;

// Sampler log-probabilities are those of `policy` plus noise, so that ratios are near 1 and not 1.
std::vector<rl::TrainGroup> make_groups(const model::WeightSet& policy);

}  // namespace gate
