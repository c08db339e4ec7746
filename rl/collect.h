// Rollout and reward: prompts to a source, samples back, scored as they arrive, in the order of the groups.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "model/chat_template.h"
#include "model/tokenizer.h"
#include "reward/reward.h"
#include "rl/dataset.h"
#include "rollout/source.h"

namespace rl {

struct ScoredSample {
  rollout::SampleRecord record;
  std::string text;  // of the completion, without its end token
  reward::Outcome outcome;
};

struct Group {
  Problem problem;
  std::string prompt;  // text, template applied
  std::vector<ScoredSample> samples;
};

// What every request of a call has in common.
struct Ask {
  int64_t samples = 1, max_new_tokens = 16, step = 0;
  kernels::SamplingParameters sampling;
  std::vector<std::string> stop;
  uint64_t seed = 0;
  kernels::Purpose purpose = kernels::Purpose::train;
  int64_t max_prompt_tokens = 0;  // a longer prompt is cut at the left; 0: none is
  int64_t first_group = 0;  // group ids are first_group + index of the problem
  std::function<void(int64_t samples, int64_t tokens)> on_sample;  // told how many are done after each; may be empty
};

// The last `most` tokens of a prompt; 0: all.
std::vector<int32_t> cut_left(std::vector<int32_t> prompt, int64_t most);

class Collector {
 public:
  Collector(rollout::RolloutSource& source, std::shared_ptr<reward::AsyncScorer> scorer, std::shared_ptr<const model::Tokenizer> tokenizer,
            model::TemplateConfig chat_template, std::vector<int32_t> stop_tokens);

  // All completions of all problems, each group complete and in order. A group is scored as soon as its last sample is
  // there, while others still sample.
  std::vector<Group> run(const std::vector<Problem>& problems, const Ask& ask);

  double reward_wait_seconds() const { return reward_wait_seconds_; }  // of the last run: after the last sample

 private:
  std::string text_of(const rollout::SampleRecord& record) const;

  rollout::RolloutSource& source_;
  std::shared_ptr<reward::AsyncScorer> scorer_;
  std::shared_ptr<const model::Tokenizer> tokenizer_;
  model::TemplateConfig chat_template_;
  std::vector<int32_t> stop_tokens_;
  double reward_wait_seconds_ = 0;
};

// The reward of a stage: its [[reward]] entries as one weighted sum with gates.
std::shared_ptr<reward::Reward> make_reward(const std::vector<reward::Settings>& settings);
// The same on a thread of its own. The parts of the sum run one after the other, so a group has all their timeouts.
std::shared_ptr<reward::AsyncScorer> make_scorer(const std::vector<reward::Settings>& settings);

}  // namespace rl
