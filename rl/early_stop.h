// Ends a stage when its evaluations do not get better, or are good enough.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "rl/metrics.h"

namespace rl {

struct EarlyStopConfig {
  std::string metric;          // of metrics.jsonl, "eval/..."; empty: never
  std::string best_is = "auto";
  int64_t patience = 0;        // evaluations without improvement; 0: only the target ends the stage
  double min_delta = 0.0;      // an improvement is more than this
  double target = 0.0;         // reached: the stage ends; 0: none
};

// Of one stage; part of a checkpoint.
struct EarlyStopState {
  std::optional<double> best;
  int64_t without = 0;         // evaluations since `best`
};

// Takes one evaluation in; returns why the stage ends here, or an empty text. The first one, before the stage's first step, is what
// later ones are compared with. With n = patience the stage ends at the n-th evaluation in a row that is not better than the best
// by more than min_delta. Throws kernels::UsageError when the evaluation has no such metric.
std::string early_stop(EarlyStopState& state, const EarlyStopConfig& config, const Metrics& evaluation);

nlohmann::ordered_json to_json(const EarlyStopState& state);
EarlyStopState early_stop_from(const nlohmann::ordered_json& json);

}  // namespace rl
