// What a run does with an evaluation's numbers: keeps the best model, and ends the stage early.
#pragma once

#include "rl/run.h"

namespace rl {

// Both work on run.state (summary.best, early_stop and the stage summary's `stopped`), on checkpoints/best and on events.jsonl. A best model
// that the disk refuses is told, and the one before stays the best. After the stage's last step nothing is ended any more.
void after_evaluation(Run& run, const StageConfig& stage, const Metrics& evaluation, bool last);

// Early stop said that the stage ends here.
bool stopped_early(const Run& run);

}  // namespace rl
