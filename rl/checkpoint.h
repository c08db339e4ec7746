// Checkpoints: the model as a Hugging Face folder, and beside it all that a run needs to go on, bit for bit.
//
//   checkpoints/step-000123/            config.json, model.safetensors, tokenizer.json, ...
//                           trainer/    state.json, optimizer.safetensors (master, moments, reference), config.toml,
//                                       samples.cbor (drawn and not yet trained on, when there are any)
//
// Written under a temporary name, synced, renamed: a half-written one is never picked up.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "rl/alarms.h"
#include "rl/early_stop.h"
#include "rl/loss/entropy_bonus.h"
#include "rl/policy.h"
#include "rl/report/summary.h"
#include "rl/sampling/sampling_state.h"

namespace rl {

struct CollectedStep;

// Where a run stands: `step` steps of stage `stage` are done.
struct RunState {
  int64_t stage = 0, step = 0;
  int64_t global_step = 0;      // over all stages
  int64_t trained_tokens = 0;   // of the stage
  double seconds = 0;           // of the whole run up to here
  EntropyBonus entropy_bonus;   // of the stage
  EarlyStopState early_stop;    // of the stage
  AlarmState alarms;            // of the stage
  std::deque<int64_t> reward_errors;  // of the stage, see add_errors
  int64_t idle_steps = 0;       // the last steps of the stage, so many, had nothing to train on
  std::string pending_evaluation;     // "before", "during" or "after": one that is owed, for a reward failed; empty: none
  SamplingState sampling;       // after the last step that is collected: `step`, or the last of those ahead
  std::vector<std::shared_ptr<const CollectedStep>> ahead;  // of the steps after `step`; see rl/sampling/saved_samples.h
  RunSummary summary;           // stages done or begun, with their evaluations
};

// The chat template, as Jinja text, that a stage's models are saved with: that of its first data set.
std::string saved_chat_template(const StageConfig& stage);

// Saves policy and state; `reference` may be undefined. Deletes the oldest beyond keep_last after the new one stands.
// Returns the folder. Throws kernels::Error with the path when the disk refuses; earlier checkpoints then stay.
std::string save_checkpoint(const std::string& run_directory, const Policy& policy, const at::Tensor& reference, const RunState& state,
                            const Config& config, int64_t keep_last);

// Fills the policy (masters, moments, versions) and the reference's masters (undefined if there was none).
RunState load_checkpoint(const std::string& checkpoint, Policy& policy, at::Tensor* reference);

// Settings that differ from those of the checkpoint and change the arithmetic, one a line; empty: none.
std::string changed_settings(const std::string& checkpoint, const Config& config);

}  // namespace rl
