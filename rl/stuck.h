// A run that hangs says where, and ends, to make room for one that goes on from its checkpoint.
#pragma once

#include <memory>

#include "kernels/watchdog.h"
#include "rl/config.h"

namespace rl {

// Watches every kernels::Wait by run.wait_deadline_s; null: it is 0. What every thread does goes to stderr, then to RUN/stuck.txt
// and events.jsonl, and the program ends with exit code 3, also when stderr or the disk are what hangs.
std::unique_ptr<kernels::Watchdog> watch_waits(const RunConfig& config);

}  // namespace rl
