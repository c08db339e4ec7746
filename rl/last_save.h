// What a run has at its end must reach the disk, even one that is full just then.
#pragma once

#include <functional>
#include <string>

#include "rl/run.h"

namespace rl {

// Calls `save`, and again every few seconds while it throws kernels::Error, for run.wait_deadline_s at most (0: for ever); the
// last error then comes out. Each first refusal is told on stderr and in events.jsonl. `what` for people: "the final model".
void save_with_patience(const Run& run, const std::string& what, const std::function<void()>& save);

}  // namespace rl
