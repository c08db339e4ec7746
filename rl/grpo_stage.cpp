// The GRPO loop: prompts -> rollout -> reward -> advantage -> loss -> optimizer -> weights back to the rollout.
#include <unistd.h>

#include <algorithm>

#include "kernels/error.h"
#include "kernels/trace.h"
#include "rl/advantage.h"
#include "rl/prompt_feed.h"
#include "rl/reward_metrics.h"
#include "rl/rollouts/dump.h"
#include "rl/rollouts/token_table.h"
#include "rl/run.h"
#include "rl/report/terminal.h"
#include "rl/step_times.h"

namespace rl {
namespace {

kernels::SamplingParameters sampling_of(const StageConfig& stage) {
  return {stage.rollout.temperature, stage.rollout.top_k, stage.rollout.top_p, stage.rollout.min_p};
}

// Steps of the RL stages before this one: a second stage must not draw the random numbers of the first again.
int64_t steps_of_earlier_stages(const Run& run) {
  int64_t steps = 0;
  for (int64_t i = 0; i < run.state.stage; ++i) {
    const StageSummary& s = run.state.summary.stages.at(static_cast<size_t>(i));
    if (s.kind == "grpo") steps += s.steps;
  }
  return steps;
}

Ask ask_of(const Run& run, const StageConfig& stage, int64_t step) {
  const int64_t request_step = steps_of_earlier_stages(run) + step;
  Ask ask;
  ask.samples = stage.rollout.samples_per_prompt;
  ask.max_new_tokens = stage.rollout.max_new_tokens;
  ask.max_prompt_tokens = stage.data.max_prompt_tokens;
  ask.step = request_step;
  ask.sampling = sampling_of(stage);
  ask.stop = stage.rollout.stop;
  ask.seed = static_cast<uint64_t>(run.config.run.seed);
  ask.first_group = request_step * stage.rollout.asked_prompts();
  ask.wanted_groups = stage.rollout.prompts_per_step;
  ask.rescore_share = stage.filter.rescore_share;
  return ask;
}

TrainSequence sequence_of(const rollout::SampleRecord& record, double advantage) {
  TrainSequence s;
  s.tokens = record.tokens;
  s.trained.assign(s.tokens.size(), 0);
  s.logprobs.assign(s.tokens.size(), 0.0f);
  size_t next = 0;
  for (const auto& run : record.trained)
    for (int64_t t = run.first; t < run.first + run.length; ++t) {
      s.trained[t] = 1;
      s.logprobs[t] = record.logprobs.at(next++);
    }
  s.advantage = advantage;
  return s;
}

// Unscored completions leave their group; a group with fewer than two values leaves the step.
std::vector<TrainGroup> groups_with_advantages(const std::vector<Group>& groups, const StageConfig& stage, int64_t* dropped) {
  std::vector<TrainGroup> out;
  for (const Group& group : groups) {
    std::vector<double> values;
    for (const auto& s : group.samples)
      if (s.outcome.has_value()) values.push_back(s.outcome.value);
    const bool equal = values.size() >= 2 && moments_of(values).population_std == 0;
    if (values.size() < 2 || (equal && stage.filter.zero_variance == "drop")) {
      ++*dropped;
      continue;
    }
    const auto advantages = group_advantages(values, stage.advantage);
    TrainGroup train;
    train.group_id = group.samples[0].record.group_id;
    train.prompt = group.samples[0].record.prompt_tokens;
    size_t next = 0;
    for (const auto& s : group.samples)
      if (s.outcome.has_value()) train.sequences.push_back(sequence_of(s.record, advantages[next++]));
    out.push_back(std::move(train));
  }
  return out;
}

// Returns the mean length.
double append_length_metrics(Metrics& metrics, const std::vector<Group>& groups) {
  double sum = 0, count = 0, shortest = 1e300, longest = 0, clipped = 0, terminated_sum = 0, kept = 0, kept_count = 0;
  for (const Group& group : groups)
    for (const auto& s : group.samples) {
      const double length = static_cast<double>(s.record.tokens.size());
      const bool cut = s.record.finish == rollout::FinishReason::length;
      sum += length, count += 1, clipped += cut;
      terminated_sum += cut ? 0 : length;
      shortest = std::min(shortest, length), longest = std::max(longest, length);
      for (float mass : s.record.kept_mass) kept += mass, kept_count += 1;
    }
  metrics.emplace_back("completions/mean_length", sum / count);
  metrics.emplace_back("completions/min_length", shortest);
  metrics.emplace_back("completions/max_length", longest);
  metrics.emplace_back("completions/clipped_ratio", clipped / count);
  metrics.emplace_back("completions/mean_terminated_length", count > clipped ? terminated_sum / (count - clipped) : 0.0);
  if (kept_count > 0) metrics.emplace_back("sampling/kept_mass_mean", kept / kept_count);
  return sum / count;
}

void append_loss_metrics(Metrics& metrics, const UpdateStatistics& first, const UpdateStatistics& sums, int64_t updates,
                         const StageConfig& stage) {
  metrics.emplace_back("loss", sums.loss / static_cast<double>(updates));
  metrics.emplace_back("entropy", sums.entropy / sums.tokens);
  if (stage.kl.coef != 0) metrics.emplace_back("kl", sums.kl / sums.tokens);
  metrics.emplace_back("clip_ratio/low_mean", sums.clipped_low / sums.tokens);
  metrics.emplace_back("clip_ratio/high_mean", sums.clipped_high / sums.tokens);
  metrics.emplace_back("clip_ratio/region_mean", (sums.clipped_low + sums.clipped_high) / sums.tokens);
  // On the step's first update the trainer has the sampler's weights: here the two are the same, bit for bit.
  metrics.emplace_back("sampling/sampling_logp_difference/mean", first.logp_difference_sum / first.tokens);
  metrics.emplace_back("sampling/sampling_logp_difference/max", first.logp_difference_max);
  metrics.emplace_back("sampling/importance_sampling_ratio/min", first.ratio_min);
  metrics.emplace_back("sampling/importance_sampling_ratio/mean", first.ratio_sum / first.tokens);
  metrics.emplace_back("sampling/importance_sampling_ratio/max", first.ratio_max);
}

void add(UpdateStatistics& sums, const UpdateStatistics& update) {
  sums.loss += update.loss, sums.tokens += update.tokens, sums.kl += update.kl, sums.entropy += update.entropy;
  sums.clipped_low += update.clipped_low, sums.clipped_high += update.clipped_high;
  sums.pack_seconds += update.pack_seconds, sums.forward_seconds += update.forward_seconds;
  sums.backward_seconds += update.backward_seconds, sums.optimizer_seconds += update.optimizer_seconds;
  sums.grad_norm = update.grad_norm, sums.learning_rate = update.learning_rate, sums.expert_loads = update.expert_loads;
}

void keep_reference(Run& run, const StageConfig& stage, int64_t step) {
  if (stage.kl.coef == 0) return;
  const bool due = stage.kl.reference_update == "every" && step > 0 && step % stage.kl.reference_every_steps == 0;
  if (!run.reference_master.defined() || due) {
    run.reference_master = run.policy.store().master.clone();
    run.reference = nullptr;
  }
  if (!run.reference) run.reference = run.policy.weights_of(run.reference_master);
}

std::vector<Group> roll_out(Run& run, Collector& collector, const std::vector<Prompt>& prompts, const Ask& ask, StepTimes& times) {
  const kernels::Span span("rollout", &times.rollout, "prompts", static_cast<int64_t>(prompts.size()));
  times.before = run.engine->statistics();
  run.engine->publish(run.policy.weights());
  auto groups = collector.run(prompts, ask);
  run.engine->publish(nullptr);  // so that the next weights are written over these
  run.engine->release_cache();
  times.after = run.engine->statistics();
  times.reward_wait = collector.reward_wait_seconds();
  return groups;
}

// The step is not trained on: it is saved as not yet taken, so that a resumed run takes it again.
[[noreturn]] void stop_for_rewards(Run& run, const StageConfig& stage, const Metrics& metrics, const std::string& problem) {
  run.metrics->log(stage.name, run.state.step + 1, metrics);
  const std::string saved = save_run(run);
  kernels::fail("stage {}, step {}: {}\nThe run is saved in {}; when the reward works, go on with --resume auto.", stage.name,
                run.state.step + 1, problem, saved);
}

struct Updates {
  UpdateStatistics first, sums;
  int64_t count = 0;
};

// Optimizer updates from one rollout; each takes its share of the groups.
Updates update(Run& run, const StageConfig& stage, std::vector<TrainGroup> groups, int64_t step, int64_t steps, StepTimes& times) {
  const kernels::Span span("train", &times.train);
  Updates done;
  done.count = std::min<int64_t>(stage.loss.updates_per_step, static_cast<int64_t>(groups.size()));
  for (int64_t u = 0; u < done.count; ++u) {
    const auto n = static_cast<int64_t>(groups.size());
    std::vector<TrainGroup> part(groups.begin() + n * u / done.count, groups.begin() + n * (u + 1) / done.count);
    weigh_tokens(part, stage.loss);
    UpdateStatistics statistics = run.policy.accumulate(part, stage, {run.plan.microbatch_rows, run.plan.recomputed_blocks}, run.reference);
    run.policy.apply(statistics, stage, step, steps);
    if (u == 0) done.first = statistics;
    add(done.sums, statistics);
  }
  return done;
}

}  // namespace

bool run_grpo_stage(Run& run, const StageConfig& stage) {
  const auto data = open_dataset(stage.data, static_cast<uint64_t>(run.config.run.seed), prompts_that_fit(run, stage));
  const auto reward_time = std::make_shared<RewardTime>();
  const auto reward = stage_reward(run, stage);
  reward->take_times();  // an evaluation's are not of the first step
  Collector collector(*run.engine, make_scorer(reward, stage.rewards, reward_time), run.policy.shared_tokenizer(), stage.chat_template,
                      run.policy.stop_tokens());
  RewardErrors errors(stage);
  PromptFeed feed(stage.rollout.asked_prompts(),
                  [&](int64_t index) { return collector.prompt_of(data->problem(index), stage.data.max_prompt_tokens); });
  const int64_t steps = steps_of(run.config, stage), first_step = run.state.step;
  Progress progress(stage.name, steps, first_step);

  for (int64_t step = first_step; step < steps; ++step) {
    StepTimes times;
    double step_seconds = 0;
    kernels::Span whole("step", &step_seconds, "step", step + 1);
    kernels::Span waiting("prompts wait", &times.prompts);
    const auto prompts = feed.take(step);
    waiting.end();
    keep_reference(run, stage, step);
    const auto groups = roll_out(run, collector, prompts, ask_of(run, stage, step), times);
    if (step + 1 < steps) feed.begin(step + 1);

    Metrics metrics = reward_metrics(groups, stage);
    if (const std::string problem = errors.add(groups); !problem.empty()) stop_for_rewards(run, stage, metrics, problem);
    int64_t dropped = 0;
    auto trained = groups_with_advantages(groups, stage, &dropped);
    const Advantages advantages = advantages_of(groups, trained);
    const Updates done = update(run, stage, std::move(trained), step, steps, times);
    // ---- only logging and saving below
    const double mean_reward = metrics[0].second, mean_length = append_length_metrics(metrics, groups);
    if (done.count > 0) {
      append_loss_metrics(metrics, done.first, done.sums, done.count, stage);
      append_update_metrics(metrics, done.sums, stage);
    }
    run.state.trained_tokens += static_cast<int64_t>(done.sums.tokens);
    metrics.emplace_back("num_tokens", static_cast<double>(run.state.trained_tokens));
    metrics.emplace_back("step_tokens", done.sums.tokens);
    metrics.emplace_back("groups_dropped", static_cast<double>(dropped));
    if (stage.rollout.overprovision > 1)
      metrics.emplace_back("rollout/aborted_tokens", static_cast<double>(collector.aborted_tokens()));
    times.rewards = static_cast<double>(reward_time->nanoseconds.exchange(0)) * 1e-9;
    append_reward_times(metrics, reward->take_times());
    if (const int64_t rescored = collector.rescored_groups(); rescored > 0) {
      metrics.emplace_back("rescore/groups", static_cast<double>(rescored));
      metrics.emplace_back("rescore/mismatches", static_cast<double>(collector.rescore_mismatches()));
    }
    if (const int64_t every = run.config.log.dump_rollouts_every; every > 0 && ((step + 1) % every == 0 || step + 1 == steps))
      dump_rollouts(run.config.run.output_dir, stage.name, step + 1, groups, advantages, run.policy.tokenizer());
    if (step == 0 && run.config.log.show_first_sample)
      progress.note(first_sample_text(groups, advantages, run.policy.tokenizer(), wants_colour(STDERR_FILENO)));
    if (step == first_step && sampling_of(stage).truncates())
      progress.note("top-p, top-k or min-p are on: the ratio is over the full softmax, so training is off-policy by the kept mass; "
                    "see sampling/kept_mass_mean in metrics.jsonl");
    whole.end();
    append_step_times(metrics, times, done.sums, step_seconds);
    finish_step(run, stage, std::move(metrics));
    progress.update(step + 1, fmt::format("reward {:.3f}  length {:.1f}  {:.0f} tok/s", mean_reward, mean_length,
                                          times.sampled_tokens() / times.rollout));
    if (interrupted()) return false;
  }
  return true;
}

}  // namespace rl
