// Which checkpoint a step can be trained again from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rl {

// `steps` steps of stage `stage` were done when it was written.
struct CheckpointPlace {
  std::string folder;
  int64_t stage = 0, steps = 0;
  bool ends_stage = false;  // or the run was interrupted there
};

// Those of RUN/checkpoints, in the order of their names; damaged ones are left out.
std::vector<CheckpointPlace> checkpoint_places(const std::string& run_directory);

struct ReplayStart {
  std::string checkpoint;     // empty: the model as the run began
  bool begins_stage = false;  // the stage before it was done: the step's stage begins here
};

// The weights before step `step` (from 1) of a stage; none: no checkpoint has them. Before its first step they are those that the
// stage before it ended with, whenever that was: epochs and early stop decide its length.
std::optional<ReplayStart> replay_start(const std::vector<CheckpointPlace>& places, int64_t stage, int64_t step);

}  // namespace rl
