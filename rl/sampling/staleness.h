// How old the weights were that drew a step's tokens.
#pragma once

#include <vector>

#include "rl/batch.h"
#include "rl/metrics.h"

namespace rl {

// sampling/staleness_{mean, max}: of each trained token, the optimizer updates between the weights that drew it and those of
// `version`, which train it. 0 where a step is sampled with the weights that it trains.
void append_staleness(Metrics& metrics, const std::vector<TrainGroup>& groups, int64_t version);

}  // namespace rl
