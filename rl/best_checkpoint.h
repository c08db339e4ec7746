// RUN/checkpoints/best: the model of a stage's best evaluation, by checkpoint.keep_best.
//
//   checkpoints/best/   the model as a Hugging Face folder
//                       best.json: {"metric", "value", "stage", "step", "global_step"}
//
// It is a model to use, not a place to go on from: it has no optimizer. It is written at the evaluation, under a temporary name,
// synced and put in place of the one before in one go, so that a kill leaves the old or the new one. A run that goes on from an
// older checkpoint takes its steps again and writes the same. checkpoint.keep_last does not touch it.
//
// A stage begins anew: where it evaluates the metric, its evaluation before the first step stands for all that came earlier.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace rl {

struct BestCheckpoint {
  std::string metric, stage;
  double value = 0;
  int64_t step = 0, global_step = 0;  // of the stage, of the run
};

// RUN/checkpoints/best.
std::string best_folder(const std::string& run_directory);
std::string best_json(const BestCheckpoint& best);
// What the folder says of itself; nullopt: there is none, or it is damaged.
std::optional<BestCheckpoint> read_best(const std::string& run_directory);

nlohmann::ordered_json to_json(const BestCheckpoint& best);
BestCheckpoint best_from(const nlohmann::ordered_json& json);

}  // namespace rl
