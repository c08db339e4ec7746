#include "rl/sampling/step_rollouts.h"

#include <fmt/core.h>

#include <algorithm>

#include "kernels/trace.h"
#include "rl/advantage/training_groups.h"
#include "rl/reward_metrics.h"
#include "rl/sampling/mixture_metrics.h"

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
      data_(open_stage_data(stage, parts_.seed, parts_.fits)),
      make_prompt_(stage, parts_.tokenizer),
      draws_(*data_, stage, parts_.seed),
      feed_([this](const PromptDraw& draw) { return make_prompt_(data_->problem_of(draw.set, draw.index)); }) {
  restore({});
}

void StepRollouts::restore(SamplingState state) {
  state_ = std::move(state);
  state_.next_group = std::max(state_.next_group, parts_.first_request_step * stage_.rollout.asked_prompts());
  state_.sets.resize(data_->count());
}

Ask StepRollouts::ask_of(int64_t step, bool refill) const {
  const RolloutConfig& rollout = stage_.rollout;
  Ask ask;
  ask.samples = rollout.samples_per_prompt;
  ask.max_new_tokens = rollout.max_new_tokens;
  ask.step = parts_.first_request_step + step;
  ask.sampling = sampling_of(stage_);
  ask.stop = rollout.stop;
  ask.seed = parts_.seed;
  ask.first_group = state_.next_group;
  ask.wanted_groups = refill ? 0 : rollout.prompts_per_step;
  ask.carry = rollout.partial;
  ask.rescore_share = stage_.filter.rescore_share;
  return ask;
}

int64_t StepRollouts::fresh_prompts() const {
  return stage_.rollout.asked_prompts() - (state_.carried ? static_cast<int64_t>(state_.carried->size()) : 0);
}

StepsAhead StepRollouts::score_failed(StepsAhead steps) {
  for (auto& step : steps) {
    CollectedStep scored = *step;
    const bool goes_on = !scored.problem.empty() && stage_.filter.on_exhausted != "stop";  // the settings were changed
    if (goes_on) scored.problem.clear();
    if (collector_.score_failed(scored.groups) || goes_on) step = std::make_shared<const CollectedStep>(std::move(scored));
  }
  return steps;
}

CollectedStep StepRollouts::collect(int64_t step, std::shared_ptr<const model::WeightSet> weights) {
  CollectedStep out;
  parts_.reward->take_times();  // an evaluation's are not of this step
  {
    const kernels::Span span("rollout", &out.times.rollout, "prompts", stage_.rollout.prompts_per_step);
    out.times.before = parts_.source.statistics();
    parts_.source.publish(std::move(weights));
    sample(step, out);
    parts_.source.publish(nullptr);  // so that the next weights are written over these
    parts_.rest();
    out.times.after = parts_.source.statistics();
  }
  out.times.rewards = static_cast<double>(reward_time_->nanoseconds.exchange(0)) * 1e-9;
  out.reward_times = parts_.reward->take_times();
  draws_.learn(state_, out.groups);
  draws_.append_metrics(out.metrics, state_);
  if (data_->count() > 1) append_mixture_metrics(out.metrics, out.groups, *data_);
  out.state = state_;
  if (step + 1 < parts_.steps) {
    SamplingState ahead = state_;  // these problems count as drawn when they are asked
    feed_.begin(draws_.next(ahead, fresh_prompts()));
  }
  return out;
}

void StepRollouts::sample(int64_t step, CollectedStep& out) {
  std::vector<PromptDraw> asked;
  sample_round(step, fresh_prompts(), asked, out);  // groups that go on take the place of new ones
  if (stage_.rollout.partial) state_.carried = std::make_shared<const std::vector<Group>>(collector_.take_unfinished());
  if (stage_.filter.zero_variance != "refill") return;
  int64_t missing = missing_groups(out);
  while (missing > 0 && out.refills < stage_.filter.max_refills) {
    ++out.refills;
    sample_round(step, missing, asked, out);
    missing = missing_groups(out);
  }
  out.exhausted = missing > 0;
  leave_out(out);
}

void StepRollouts::sample_round(int64_t step, int64_t count, std::vector<PromptDraw>& asked, CollectedStep& out) {
  kernels::Span waiting("prompts wait", &out.times.prompts);
  const auto draws = draws_.next(state_, count, asked);
  const auto prompts = feed_.take(draws);
  waiting.end();
  asked.insert(asked.end(), draws.begin(), draws.end());
  const bool refill = out.refills > 0;
  auto groups = collector_.run(prompts, ask_of(step, refill), state_.carried && !refill ? *state_.carried : std::vector<Group>());
  state_.next_group += count;
  std::move(groups.begin(), groups.end(), std::back_inserter(out.groups));
  out.times.reward_wait += collector_.reward_wait_seconds();
  out.aborted_tokens += collector_.aborted_tokens();
  out.carried_tokens += collector_.carried_tokens();
  out.rescored_groups += collector_.rescored_groups();
  out.rescore_mismatches += collector_.rescore_mismatches();
}

int64_t StepRollouts::missing_groups(const CollectedStep& out) const {
  int64_t missing = stage_.rollout.prompts_per_step;
  for (const Group& group : out.groups) missing -= use_of(group, stage_) == GroupUse::learns;
  return missing;
}

void StepRollouts::leave_out(CollectedStep& out) const {
  int64_t missing = missing_groups(out), left_out = 0;
  const int64_t found = stage_.rollout.prompts_per_step - missing;
  for (Group& group : out.groups) {
    const GroupUse use = use_of(group, stage_);
    const bool fills_up = use == GroupUse::equal_rewards && stage_.filter.on_exhausted == "keep_zero_variance" && missing > 0;
    missing -= fills_up;
    group.left_out = use != GroupUse::learns && !fills_up;
    left_out += group.left_out;
  }
  out.metrics.emplace_back("refill/rounds", static_cast<double>(out.refills));
  out.metrics.emplace_back("refill/dropped_groups", static_cast<double>(left_out));
  out.metrics.emplace_back("refill/exhausted", out.exhausted);
  if (out.exhausted && stage_.filter.on_exhausted == "stop")
    out.problem = fmt::format(
        "only {} of {} groups have rewards that differ after {} rounds of new prompts (filter.max_refills), and filter.on_exhausted is "
        "\"stop\". The problems are too easy or too hard for the model, or the rewards say the same of every completion.",
        found, stage_.rollout.prompts_per_step, out.refills);
}

void append_sampling_metrics(Metrics& metrics, const CollectedStep& collected, const StageConfig& stage) {
  if (stage.rollout.partial) metrics.emplace_back("rollout/carried_tokens", static_cast<double>(collected.carried_tokens));
  else if (stage.rollout.overprovision > 1)
    metrics.emplace_back("rollout/aborted_tokens", static_cast<double>(collected.aborted_tokens));
  append_reward_times(metrics, collected.reward_times);
  if (collected.rescored_groups > 0) {
    metrics.emplace_back("rescore/groups", static_cast<double>(collected.rescored_groups));
    metrics.emplace_back("rescore/mismatches", static_cast<double>(collected.rescore_mismatches));
  }
  metrics.insert(metrics.end(), collected.metrics.begin(), collected.metrics.end());
}

}  // namespace rl
