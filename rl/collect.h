// Rollout and reward: prompts to a source, samples back, scored as they arrive, in the order of the groups.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "model/chat/chat_template.h"
#include "model/tokenizer/tokenizer.h"
#include "reward/reward.h"
#include "rl/dataset.h"
#include "rollout/source.h"

namespace rl {

struct ScoredSample {
  rollout::SampleRecord record;
  std::string text;  // of the completion, without its end token
  reward::Outcome outcome;
};

// A problem as it is asked.
struct Prompt {
  Problem problem;
  std::string text;  // template applied
  std::vector<int32_t> tokens;
};

struct Group {
  Problem problem;
  std::string prompt;  // text, template applied
  std::vector<ScoredSample> samples;
  bool left_out = false;  // not trained on: another one was asked in its place, or would have been
};

// What every request of a call has in common.
struct Ask {
  int64_t samples = 1, max_new_tokens = 16, step = 0;
  kernels::SamplingParameters sampling;
  std::vector<std::string> stop;
  uint64_t seed = 0;
  kernels::Purpose purpose = kernels::Purpose::train;
  int64_t max_prompt_tokens = 0;  // a longer prompt is cut at the left; 0: none is (prompts that are made already: no effect)
  int64_t first_group = 0;  // group ids are first_group + index of the problem
  bool group_is_prompt_id = false;    // group ids are the problems' prompt_ids: a sample then does not depend on the others
  int64_t max_positions = 0;          // a completion gets no more tokens than fit behind its prompt; 0: all fit
  std::vector<std::string> cut_stop;  // as `stop`, but the text that is judged ends before it
  // The first groups to be complete are enough; the others are aborted. 0: all. Which come first follows from the source's
  // steps, not from the clock: the local engine's budgets and the requests decide.
  int64_t wanted_groups = 0;
  bool carry = false;  // what the aborted groups have is kept, see Collector::take_unfinished
  double rescore_share = 0;  // groups that are scored twice, chosen by their id; only counted, see rescore_mismatches
  const std::atomic<bool>* cancelled = nullptr;  // once true, run() throws kernels::Error instead of waiting for samples
  std::function<void(int64_t samples, int64_t tokens)> on_sample;  // told how many are done after each; may be empty
  std::function<void(const Group& group)> on_group;  // told of each complete group soon after it is scored; may be empty
};

// The last `most` tokens of a prompt; 0: all.
std::vector<int32_t> cut_left(std::vector<int32_t> prompt, int64_t most);

class Collector {
 public:
  Collector(rollout::RolloutSource& source, std::shared_ptr<reward::AsyncScorer> scorer, std::shared_ptr<const model::Tokenizer> tokenizer,
            model::TemplateConfig chat_template, std::vector<int32_t> stop_tokens);

  // All completions of all prompts (or of ask.wanted_groups), each group complete, in the order of the prompts. A group is
  // scored as soon as its last sample is there, while others still sample.
  // `carried`: unfinished groups of an earlier call, which go on with their own ids and request step; they come first.
  std::vector<Group> run(const std::vector<Prompt>& prompts, const Ask& ask, std::vector<Group> carried = {});
  std::vector<Group> run(const std::vector<Problem>& problems, const Ask& ask, std::vector<Group> carried = {});

  // With ask.carry, the groups that the last run ended without: samples that are not complete are FinishReason::aborted and
  // have what was drawn of them. None has an outcome.
  std::vector<Group> take_unfinished() { return std::move(unfinished_); }

  // Scores those groups again that a reward failed on. False: none.
  bool score_failed(std::vector<Group>& groups);

  // Of the last run.
  double reward_wait_seconds() const { return reward_wait_seconds_; }  // after the last sample
  int64_t aborted_tokens() const { return aborted_tokens_; }           // sampled for groups that were thrown away
  int64_t carried_tokens() const { return carried_tokens_; }           // of the unfinished groups that are kept
  int64_t rescored_groups() const { return rescored_groups_; }
  int64_t rescore_mismatches() const { return rescore_mismatches_; }   // completions whose second score was another

 private:
  Prompt prompt_of(const Problem& problem, int64_t max_prompt_tokens) const;
  struct Call;
  void submit(Call& call, size_t group, const Prompt& prompt);
  void accept(Call& call, rollout::SampleRecord record);
  void score(Call& call, size_t group);
  void take(Call& call, size_t group);
  void abort_rest(Call& call);
  void take_outcomes(Call& call);
  std::vector<Group> sort_out(Call& call);
  void compare_again(const Group& group, int64_t ticket);
  std::string text_of(const rollout::SampleRecord& record, const std::vector<std::string>& cut_stop) const;

  rollout::RolloutSource& source_;
  std::shared_ptr<reward::AsyncScorer> scorer_;
  std::shared_ptr<const model::Tokenizer> tokenizer_;
  model::TemplateConfig chat_template_;
  std::vector<int32_t> stop_tokens_;
  std::vector<Group> unfinished_;
  double reward_wait_seconds_ = 0;
  int64_t aborted_tokens_ = 0, carried_tokens_ = 0, rescored_groups_ = 0, rescore_mismatches_ = 0;
};

// How long rewards worked, on whatever thread.
struct RewardTime {
  std::atomic<int64_t> nanoseconds{0};
};

// The reward of a stage: its [[reward]] entries as one sum, clipped to a range.
std::shared_ptr<reward::Sum> make_reward(const std::vector<reward::Settings>& settings, double low = -1e300, double high = 1e300);
// A reward on threads of its own: as many as the most workers of a part. The parts of a sum run one after the other, so a
// group has all their timeouts.
std::shared_ptr<reward::AsyncScorer> make_scorer(std::shared_ptr<reward::Reward> reward, const std::vector<reward::Settings>& settings,
                                                 std::shared_ptr<RewardTime> time = std::make_shared<RewardTime>());
std::shared_ptr<reward::AsyncScorer> make_scorer(const std::vector<reward::Settings>& settings);

}  // namespace rl
