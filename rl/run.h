// One training run, as its stages see it. Internal to rl/.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "rl/checkpoint.h"
#include "rl/collect.h"
#include "rl/config.h"
#include "rl/data/mixture.h"
#include "rl/memory_plan.h"
#include "rl/metrics.h"
#include "rl/policy.h"
#include "rl/report/progress.h"
#include "rl/run_cost.h"
#include "rl/sft/sequence.h"
#include "rollout/engine.h"

namespace rl {

struct Run {
  const Config& config;
  MemoryPlan plan;
  Policy policy;
  std::unique_ptr<rollout::Engine> engine;
  std::unique_ptr<MetricsLog> metrics;
  std::unique_ptr<CostMeter> cost = {};                      // null where nothing is written, as in ponder replay
  RunState state;
  at::Tensor reference_master;                              // masters of the reference policy, when one is kept
  std::shared_ptr<const model::WeightSet> reference;
  std::shared_ptr<reward::Sum> judge = {};                  // of the stage that made it, see stage_reward
  std::string judge_stage = {};
  // Set while samples are drawn ahead on another thread: waits for them, and notes in `state` what is not trained on yet.
  std::function<void()> settle = {};
  bool save_due = false;                                    // a checkpoint is wanted; it stays so while the disk refuses it
  bool dump_refused = false;                                // the last samples that were to be kept
  int64_t refused_updates = 0;                              // in a row, as not finite
  double checkpoint_seconds = 0;                            // since the last metrics line
  double seconds_at_start = 0;                              // of earlier parts of a resumed run
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();

  double seconds() const {
    return seconds_at_start + std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  // Of the stage's steps, over all parts of a resumed run; without the evaluations before and after them.
  std::optional<std::chrono::steady_clock::time_point> stage_start = {};  // while its steps run
  double stage_seconds_at_start = 0;
  void count_stage_seconds() {
    if (stage_start)
      stage_summary().seconds =
          stage_seconds_at_start + std::chrono::duration<double>(std::chrono::steady_clock::now() - *stage_start).count();
  }
  StageSummary& stage_summary() { return state.summary.stages.at(static_cast<size_t>(state.stage)); }
};

// Each runs its stage from run.state.step to the end. False: interrupted by the user; the last step is done.
bool run_sft_stage(Run& run, const StageConfig& stage);
bool run_grpo_stage(Run& run, const StageConfig& stage);

// Which problems are asked of a data set, by its max_prompt_tokens and overlong_prompt; null: all (they are cut).
FitsOf prompts_that_fit(const Run& run);

// Evaluates on the held-back problems: answers to them, greedy and sampled, where the stage has rewards; in an sft stage the loss of
// their completions, where they have some. Then the best model is kept and early stop asked. `when` is "before", "during" or "after"
// the stage.
// A reward that fails too often ends the run, saved so that the evaluation is made up for.
void evaluate_stage(Run& run, const StageConfig& stage, const std::string& when);
// The evaluation that the checkpoint owes, if it owes one.
void make_up_evaluation(Run& run, const StageConfig& stage);

// The stage's reward: made and tried once, so that plug-ins stay up from its first evaluation to its last. Throws kernels::Error
// if its self-test fails.
std::shared_ptr<reward::Sum> stage_reward(Run& run, const StageConfig& stage);

// Of an sft stage's rows, with the run's model.
SftTokenizer sft_tokenizer(const Run& run, const StageConfig& stage);

// What every stage does after a step: counters, metrics line, checkpoint when due.
void finish_step(Run& run, const StageConfig& stage, Metrics metrics);

// At the first step of a stage, and whatever came before it: its counters, a fresh optimizer, no reference yet.
void begin_stage(Run& run, const StageConfig& stage);

int64_t steps_of(const Config& config, const StageConfig& stage);  // with run.steps as cap of RL stages
void append_update_metrics(Metrics& metrics, const UpdateStatistics& update, const StageConfig& stage);

}  // namespace rl
