// A GRPO stage whose completions and rewards a test chooses: no model.
#pragma once

#include "rl/sampling/step_rollouts.h"
#include "rollout/scripted_engine.h"

namespace testing {

struct ScriptedStage {
  // What sample `index` of a prompt is worth, and whether it ran into the token limit.
  struct Sample {
    double reward = 0;
    bool cut = false;
  };
  using Script = std::function<Sample(const rollout::Request& request, int64_t index)>;

  rl::StageConfig stage;
  Script script;
  bool outage = false;  // the reward fails

  // Generated sums; 2 prompts of 2 samples a step.
  explicit ScriptedStage(Script script);
  rl::StepRollouts open(uint64_t seed = 3, int64_t first_request_step = 0);
  rl::StepRollouts open(rollout::RolloutSource& other);  // with samples of another source

  rollout::ScriptedEngine source;

 private:
  rl::SamplingParts parts(rollout::RolloutSource& from);
};

// The problems of a step's groups, in their order.
std::vector<int64_t> prompt_ids(const rl::CollectedStep& step);
std::vector<int64_t> group_ids(const rl::CollectedStep& step);

}  // namespace testing
