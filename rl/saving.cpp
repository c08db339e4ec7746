#include "rl/saving.h"

#include <filesystem>
#include <thread>

#include "kernels/error.h"
#include "kernels/file_memory.h"
#include "kernels/trace.h"
#include "kernels/watchdog.h"
#include "rl/event_log.h"
#include "rl/line_log.h"
#include "rl/signals.h"

namespace rl {
namespace {

namespace fs = std::filesystem;

constexpr int64_t pause_s = 2, tries_between_warnings = 300;

// What is sampled ahead is part of the checkpoint, and what lies in files must not have been lost there. That one of these fails
// is nothing that more room on a disk could mend.
void settle(Run& run) {
  if (run.settle) run.settle();
  const kernels::Span span("checkpoint", &run.checkpoint_seconds);
  const kernels::Wait wait("the disk of model.offload_folder");
  kernels::sync_file_memory();
}

std::string save_settled(Run& run) {
  const kernels::Span span("checkpoint", &run.checkpoint_seconds);
  run.state.seconds = run.seconds();
  run.count_stage_seconds();
  std::string saved;
  {
    const kernels::Wait wait("the checkpoint to be written");
    const std::string& folder = run.config.run.output_dir;
    // A run that goes on from here writes no line again.
    for (const char* file : {"metrics.jsonl", "states.jsonl"}) line_log((fs::path(folder) / file).string()).sync();
    saved = save_checkpoint(folder, run.policy, run.reference_master, run.state, run.config, run.config.checkpoint.keep_last);
  }
  write_event(run, "saved", saved);
  run.save_due = false;
  return saved;
}

}  // namespace

void write_event(const Run& run, const std::string& kind, const std::string& text) {
  const std::string stage = run.state.summary.stages.empty() ? "" : run.state.summary.stages.back().name;
  append_event(run.config.run.output_dir, stage, run.state.step, kind, text);
}

void try_to_save(Run& run) {
  settle(run);
  const std::string refusal = refusal_of([&] { save_settled(run); });
  if (refusal.empty()) return;
  run.save_due = true;
  write_event(run, "save_failed", refusal);
  fmt::print(stderr, "\nwarning: no checkpoint at step {}, it is tried again after the next: {}\n", run.state.global_step,
             refusal);
}

std::string save_run_at_end(Run& run) {
  settle(run);
  std::string saved;
  save_with_patience(run, "the checkpoint", [&] { saved = save_settled(run); });
  return saved;
}

void save_with_patience(const Run& run, const std::string& what, const std::function<void()>& save) {
  const bool asked_before = interrupted_by_hand();
  for (int64_t tries = 0;; ++tries) {
    const std::string refusal = refusal_of(save);
    if (refusal.empty()) return;
    if (interrupted_by_hand() && !asked_before) kernels::fail("{} was given up: {}", what, refusal);
    if (tries == 0) write_event(run, "save_failed", refusal);
    if (tries % tries_between_warnings == 0)
      fmt::print(stderr, "\nwarning: {} could not be saved: {}\nIt is kept in memory and tried again every {} seconds; make room, or "
                 "press Ctrl-C{} to give it up.\n", what, refusal, pause_s, asked_before ? " once more" : "");
    std::this_thread::sleep_for(std::chrono::seconds(pause_s));
  }
}

std::string refusal_of(const std::function<void()>& save) {
  try {
    save();
    return "";
  } catch (const kernels::Error& error) {
    return error.what();
  } catch (const fs::filesystem_error& error) {
    return error.what();
  }
}

}  // namespace rl
