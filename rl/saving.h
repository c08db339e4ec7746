// Checkpoints and other files of a run, and what it does when the disk refuses them.
#pragma once

#include <functional>
#include <string>

#include "rl/run.h"

namespace rl {

// Of run.state's stage and step.
void write_event(const Run& run, const std::string& kind, const std::string& text);

// A checkpoint of where the run stands, in the middle of a stage: refused, it is told, and stays due for the next step
// (run.save_due).
void try_to_save(Run& run);
// The same where the run ends or a stage does, with patience. Returns its folder.
std::string save_run_at_end(Run& run);

// Calls `save`, and again every few seconds while the disk refuses, without limit: what a run has at its end must not be lost.
// Ctrl-C or SIGTERM gives up: the refusal is then thrown. Told on stderr, now and then again, and once in events.jsonl.
// `what` for people: "the final model".
void save_with_patience(const Run& run, const std::string& what, const std::function<void()>& save);

// Why the disk refused `save`; empty: it did not.
std::string refusal_of(const std::function<void()>& save);

}  // namespace rl
