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
  ask.cancelled = &cancelled_;
  return ask;
}

int64_t StepRollouts::fresh_prompts() const {
  return stage_.rollout.asked_prompts() - (state_.carried ? static_cast<int64_t>(state_.carried->size()) : 0);
}

// The weights are let go before it returns. Adds to the times that the step has.
void StepRollouts::with_weights(std::shared_ptr<const model::WeightSet> weights, CollectedStep& out, const std::function<void()>& draw) {
  const kernels::Span span("rollout", &out.times.rollout, "prompts", stage_.rollout.prompts_per_step);
  const auto earlier = difference(out.times.after, out.times.before);
  out.times.before = difference(parts_.source.statistics(), earlier);
  parts_.source.publish(std::move(weights));
  draw();
  parts_.source.publish(nullptr);  // so that the next weights are written over these
  parts_.rest();
  out.times.after = parts_.source.statistics();
}

CollectedStep StepRollouts::collect(int64_t step, std::shared_ptr<const model::WeightSet> weights) {
  CollectedStep out;
  parts_.reward->take_times();  // an evaluation's are not of this step
  with_weights(std::move(weights), out, [&] { sample(step, out); });
  out.times.rewards = static_cast<double>(reward_time_->nanoseconds.exchange(0)) * 1e-9;
  out.reward_times = parts_.reward->take_times();
  for (const Group& group : out.groups) draws_.learn(state_, group);
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
  if (stage_.filter.zero_variance == "refill") refill(step, asked, out);
}

void StepRollouts::refill(int64_t step, std::vector<PromptDraw>& asked, CollectedStep& out) {
  for (int64_t missing; (missing = missing_groups(out)) > 0 && out.refills < stage_.filter.max_refills;) {
    ++out.refills;
    sample_round(step, missing, asked, out);
  }
  leave_out(out);
}

StepsAhead StepRollouts::take_up(StepsAhead steps, int64_t step, const std::shared_ptr<const model::WeightSet>& weights) {
  std::vector<CollectedStep> taken;
  for (const auto& saved : steps) {
    CollectedStep& out = taken.emplace_back(*saved);
    score_failed(out);
    std::vector<PromptDraw> asked;  // not known any more: a problem may come twice
    if (stage_.filter.zero_variance == "refill") with_weights(weights, out, [&] { refill(step, asked, out); });
    ++step;
  }
  for (size_t i = 0; i < taken.size(); ++i) {
    taken[i].state = state_;
    steps[i] = std::make_shared<const CollectedStep>(std::move(taken[i]));
  }
  return steps;
}

void StepRollouts::score_failed(CollectedStep& out) {
  std::vector<bool> judged;
  for (const Group& group : out.groups) judged.push_back(draws_.is_judged(group));
  if (!collector_.score_failed(out.groups)) return;
  for (size_t g = 0; g < out.groups.size(); ++g)
    if (!judged[g]) draws_.learn(state_, out.groups[g]);
  if (data_->count() <= 1) return;
  std::erase_if(out.metrics, [](const auto& metric) { return metric.first.rfind("mix/", 0) == 0; });
  append_mixture_metrics(out.metrics, out.groups, *data_);
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

// The first prompts_per_step groups that teach something are trained on. There may be more: what took the place of groups that a
// reward failed on is not needed once these are scored.
void StepRollouts::leave_out(CollectedStep& out) const {
  const int64_t wanted = stage_.rollout.prompts_per_step, missing = std::max<int64_t>(0, missing_groups(out));
  const std::string& on_exhausted = stage_.filter.on_exhausted;
  int64_t places = wanted, to_fill = on_exhausted == "keep_zero_variance" ? missing : 0;
  for (Group& group : out.groups) {
    const GroupUse use = use_of(group, stage_);
    int64_t& left = use == GroupUse::learns ? places : to_fill;
    group.left_out = use == GroupUse::none || left == 0;
    left -= !group.left_out;
  }
  out.exhausted = missing > 0;
  out.problem.clear();
  if (out.exhausted && on_exhausted == "stop")
    out.problem = fmt::format(
        "only {} of {} groups have {} that differ after {} rounds of new prompts (filter.max_refills), and filter.on_exhausted is "
        "\"stop\". The problems are too easy or too hard for the model, or the rewards say the same of every completion.",
        wanted - missing, wanted, stage_.filter.metric == "accuracy" ? "verdicts" : "rewards", out.refills);
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
  if (stage.filter.zero_variance == "refill") {
    const auto left_out = std::count_if(collected.groups.begin(), collected.groups.end(), [](const Group& g) { return g.left_out; });
    metrics.emplace_back("refill/rounds", static_cast<double>(collected.refills));
    metrics.emplace_back("refill/dropped_groups", static_cast<double>(left_out));
    metrics.emplace_back("refill/exhausted", collected.exhausted);
  }
  metrics.insert(metrics.end(), collected.metrics.begin(), collected.metrics.end());
}

}  // namespace rl
