// The sampling side of a GRPO stage: which problems a step asks, their completions, the rewards of these.
//
// What a step gets follows from the SamplingState before it and from the weights, so a caller may collect on a thread of its own,
// steps ahead of training, and a resumed run goes on as the run that never stopped would have.
//
// Dynamic sampling (filter.zero_variance = "refill"; DAPO, arXiv:2503.14476, section 3.2): while fewer than
// rollout.prompts_per_step groups have rewards that differ, as many new problems are asked as are missing, with the same weights,
// at most filter.max_refills times.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "rl/collect.h"
#include "rl/metrics.h"
#include "rl/sampling/prompt_feed.h"
#include "rl/sampling/prompt_maker.h"
#include "rl/sampling/sampling_state.h"
#include "rl/step_times.h"

namespace rl {

kernels::SamplingParameters sampling_of(const StageConfig& stage);

// What sampling takes from the rest of a run. The source outlives the StepRollouts.
struct SamplingParts {
  rollout::RolloutSource& source;
  std::function<void()> rest;             // called when a step has all its samples: a source may give its memory back
  std::shared_ptr<reward::Sum> reward;
  std::shared_ptr<const model::Tokenizer> tokenizer;
  std::vector<int32_t> stop_tokens;
  FitsOf fits;                            // see open_stage_data
  uint64_t seed = 0;
  int64_t steps = 0;                      // of the stage
  int64_t first_request_step = 0;         // steps of earlier RL stages: their random numbers are not drawn again
};

struct CollectedStep {
  std::vector<Group> groups;                    // all that were sampled, in the order they were asked
  StepTimes times;                              // prompts, rollout, reward_wait, rewards, before and after are set
  std::vector<reward::PartTimes> reward_times;  // of the calls of this step
  int64_t aborted_tokens = 0, carried_tokens = 0;  // as the Collector counts them
  int64_t rescored_groups = 0, rescore_mismatches = 0;
  int64_t refills = 0;                          // rounds of new problems
  bool exhausted = false;                       // groups were still missing after the last round
  Metrics metrics;                              // curriculum/*, mix/*
  std::string problem;                          // not empty: why the run must stop before it trains on this step
  SamplingState state;                          // after the step; a checkpoint keeps it once the step is trained on
};

using StepsAhead = std::vector<std::shared_ptr<const CollectedStep>>;  // in order

class StepRollouts {
 public:
  // Opens the stage's data; `stage` outlives it. Throws UsageError.
  StepRollouts(const StageConfig& stage, SamplingParts parts);

  // Samples and scores the stage's step `step` (0-based) with `weights`, which are let go before it returns. Called in the order
  // of the steps, by one thread at a time. Throws what the data, the source and the rewards throw.
  CollectedStep collect(int64_t step, std::shared_ptr<const model::WeightSet> weights);

  // Ends a collect() on another thread with an error, after the source's present step. Nothing can be collected any more.
  void cancel() { cancelled_ = true; }

  // Before the next step to collect. restore() is for the first one: an empty state, or a checkpoint's.
  const SamplingState& state() const { return state_; }
  void restore(SamplingState state);
  // Steps that come from a checkpoint with the state that was restored, the first of them `step`. What a reward failed on (timeout,
  // infra_error) is scored again, and its verdicts reach the curriculum now. Which groups are left out is decided anew, and what is
  // still missing is asked with `weights` where filter.max_refills leaves rounds.
  StepsAhead take_up(StepsAhead steps, int64_t step, const std::shared_ptr<const model::WeightSet>& weights);

 private:
  Ask ask_of(int64_t step, bool refill) const;
  int64_t fresh_prompts() const;
  void sample_round(int64_t step, int64_t count, std::vector<PromptDraw>& asked, CollectedStep& out);
  void sample(int64_t step, CollectedStep& out);
  void refill(int64_t step, std::vector<PromptDraw>& asked, CollectedStep& out);
  void with_weights(std::shared_ptr<const model::WeightSet> weights, CollectedStep& out, const std::function<void()>& draw);
  void score_failed(CollectedStep& out);
  int64_t missing_groups(const CollectedStep& out) const;
  void leave_out(CollectedStep& out) const;

  const StageConfig& stage_;
  SamplingParts parts_;
  std::shared_ptr<RewardTime> reward_time_ = std::make_shared<RewardTime>();
  Collector collector_;
  std::unique_ptr<Mixture> data_;
  PromptMaker make_prompt_;
  PromptDraws draws_;
  SamplingState state_;
  std::atomic<bool> cancelled_{false};
  PromptFeed feed_;  // last: its thread uses the others
};

// rollout/{aborted_tokens, carried_tokens}, refill/*, timing/rewards/*, rescore/*, and the step's own metrics.
void append_sampling_metrics(Metrics& metrics, const CollectedStep& collected, const StageConfig& stage);

}  // namespace rl
