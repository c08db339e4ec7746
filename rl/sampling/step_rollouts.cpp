#include "rl/sampling/step_rollouts.h"

#include <algorithm>

#include "kernels/trace.h"
#include "rl/reward_metrics.h"

namespace rl {

kernels::SamplingParameters sampling_of(const StageConfig& stage) {
  const RolloutConfig& rollout = stage.rollout;
  return {rollout.temperature, rollout.top_k, rollout.top_p, rollout.min_p, stage.correction.truncation == "keep_mask"};
}

StepRollouts::StepRollouts(const StageConfig& stage, SamplingParts parts)
    : stage_(stage),
      parts_(std::move(parts)),
      collector_(parts_.source, make_scorer(parts_.reward, stage.rewards, reward_time_), parts_.tokenizer, stage.chat_template,
                 parts_.stop_tokens),
      data_(open_dataset(stage.data, parts_.seed, parts_.fits)),
      feed_([this](int64_t index) { return collector_.prompt_of(data_->problem(index), stage_.data.max_prompt_tokens); }) {
  restore({});
}

void StepRollouts::restore(SamplingState state) {
  state_ = state;
  state_.next_group = std::max(state_.next_group, parts_.first_request_step * stage_.rollout.asked_prompts());
}

Ask StepRollouts::ask_of(int64_t step) const {
  const RolloutConfig& rollout = stage_.rollout;
  Ask ask;
  ask.samples = rollout.samples_per_prompt;
  ask.max_new_tokens = rollout.max_new_tokens;
  ask.step = parts_.first_request_step + step;
  ask.sampling = sampling_of(stage_);
  ask.stop = rollout.stop;
  ask.seed = parts_.seed;
  ask.first_group = state_.next_group;
  ask.wanted_groups = rollout.prompts_per_step;
  ask.carry = rollout.partial;
  ask.cancelled = &cancelled_;
  ask.rescore_share = stage_.filter.rescore_share;
  return ask;
}

int64_t StepRollouts::fresh_prompts() const {
  return stage_.rollout.asked_prompts() - (state_.carried ? static_cast<int64_t>(state_.carried->size()) : 0);
}

StepsAhead StepRollouts::score_failed(StepsAhead steps) {
  for (auto& step : steps) {
    CollectedStep scored = *step;
    if (collector_.score_failed(scored.groups)) step = std::make_shared<const CollectedStep>(std::move(scored));
  }
  return steps;
}

CollectedStep StepRollouts::collect(int64_t step, std::shared_ptr<const model::WeightSet> weights) {
  CollectedStep out;
  // Groups that go on take the place of new ones.
  const int64_t asked = fresh_prompts();
  parts_.reward->take_times();  // an evaluation's are not of this step
  kernels::Span waiting("prompts wait", &out.times.prompts);
  const auto prompts = feed_.take(state_.next_problem, asked);
  waiting.end();
  sample(prompts, ask_of(step), std::move(weights), out);
  state_.next_problem += asked;
  state_.next_group += asked;
  if (stage_.rollout.partial) state_.carried = std::make_shared<const std::vector<Group>>(collector_.take_unfinished());
  out.state = state_;
  if (step + 1 < parts_.steps) feed_.begin(state_.next_problem, fresh_prompts());
  return out;
}

void StepRollouts::sample(const std::vector<Prompt>& prompts, const Ask& ask, std::shared_ptr<const model::WeightSet> weights,
                          CollectedStep& out) {
  const kernels::Span span("rollout", &out.times.rollout, "prompts", static_cast<int64_t>(prompts.size()));
  out.times.before = parts_.source.statistics();
  parts_.source.publish(std::move(weights));
  out.groups = collector_.run(prompts, ask, state_.carried ? *state_.carried : std::vector<Group>());
  parts_.source.publish(nullptr);  // so that the next weights are written over these
  parts_.rest();
  out.times.after = parts_.source.statistics();
  out.times.reward_wait = collector_.reward_wait_seconds();
  out.times.rewards = static_cast<double>(reward_time_->nanoseconds.exchange(0)) * 1e-9;
  out.reward_times = parts_.reward->take_times();
  out.aborted_tokens = collector_.aborted_tokens();
  out.carried_tokens = collector_.carried_tokens();
  out.rescored_groups = collector_.rescored_groups();
  out.rescore_mismatches = collector_.rescore_mismatches();
}

void append_sampling_metrics(Metrics& metrics, const CollectedStep& collected, const StageConfig& stage) {
  if (stage.rollout.partial) metrics.emplace_back("rollout/carried_tokens", static_cast<double>(collected.carried_tokens));
  else if (stage.rollout.overprovision > 1)
    metrics.emplace_back("rollout/aborted_tokens", static_cast<double>(collected.aborted_tokens));
  append_reward_times(metrics, collected.reward_times);
  if (collected.rescored_groups == 0) return;
  metrics.emplace_back("rescore/groups", static_cast<double>(collected.rescored_groups));
  metrics.emplace_back("rescore/mismatches", static_cast<double>(collected.rescore_mismatches));
}

}  // namespace rl
