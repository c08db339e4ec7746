// What a run does about a step that went wrong: refuse it, raise an alarm, keep its samples, and write it all down.
#pragma once

#include <functional>

#include "rl/run.h"

namespace rl {

// Runs `update`. When its loss or gradient is not finite the update is not applied, `keep_samples` is called, and with
// optimizer.on_non_finite = "skip" the run goes on: returns false. With "stop", and after ten of them in a row, throws
// kernels::Error. Earlier updates of the same step stay.
bool apply_if_finite(Run& run, const StageConfig& stage, const std::function<void()>& update, const std::function<void()>& keep_samples);

// Alarms of the step's metrics: told on the terminal and in events.jsonl, with `keep_samples` when one begins. True: the stage's
// settings want the run to stop.
bool raise_alarms(Run& run, const StageConfig& stage, const Metrics& metrics, const std::function<void()>& keep_samples);

// Samples that the disk refuses must not end a run: told on the terminal and in events.jsonl, once until it takes some again.
void keep_or_tell(Run& run, const StageConfig& stage, const std::function<void()>& keep_samples);

// After an alarm with action = "stop": a checkpoint, which remembers no alarm, then kernels::Error that says how to go on.
[[noreturn]] void stop_for_alarm(Run& run, const StageConfig& stage);

}  // namespace rl
