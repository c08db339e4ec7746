// The GRPO loop: prompts -> rollout -> reward -> advantage -> loss -> optimizer -> weights back to the rollout.
#include <unistd.h>

#include "kernels/error.h"
#include "kernels/trace.h"
#include "rl/advantage/step_advantages.h"
#include "rl/advantage/training_groups.h"
#include "rl/after_evaluation.h"
#include "rl/prompt_feed.h"
#include "rl/reference.h"
#include "rl/reward_metrics.h"
#include "rl/report/terminal.h"
#include "rl/rollouts/dump.h"
#include "rl/rollouts/token_table.h"
#include "rl/step_metrics.h"
#include "rl/update.h"
#include "rl/watch.h"

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

}  // namespace

bool run_grpo_stage(Run& run, const StageConfig& stage) {
  const auto data = open_dataset(stage.data, static_cast<uint64_t>(run.config.run.seed), prompts_that_fit(run, stage));
  const auto reward_time = std::make_shared<RewardTime>();
  const auto reward = stage_reward(run, stage);
  reward->take_times();  // an evaluation's are not of the first step
  Collector collector(*run.engine, make_scorer(reward, stage.rewards, reward_time), run.policy.shared_tokenizer(), stage.chat_template,
                      run.policy.stop_tokens());
  RewardErrors errors(stage);
  Alarms alarms(stage.alarm);
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
    keep_reference(run, stage);
    const auto groups = roll_out(run, collector, prompts, ask_of(run, stage, step), times);
    if (step + 1 < steps) feed.begin(step + 1);

    Metrics metrics = reward_metrics(groups, stage);
    if (const std::string problem = errors.add(groups); !problem.empty()) stop_for_rewards(run, stage, metrics, problem);
    TrainingGroups training = training_groups(groups, stage);
    CorrectionSums correction;
    score_groups(run, stage, training.groups, correction, times);
    assign_advantages(training.groups, stage.advantage, stage.kl, training.part_weights);
    const Advantages advantages = advantages_of(groups, training.groups);
    const auto keep_samples = [&] {
      dump_rollouts(run.config.run.output_dir, stage.name, step + 1, groups, advantages, run.policy.tokenizer());
    };
    Updates done;
    apply_if_finite(run, stage, [&] { done = update_policy(run, stage, training.groups, step, steps, times); }, keep_samples);
    done.correction = correction;
    refresh_reference(run, stage, step);
    // ---- only logging and saving below
    const double mean_reward = metrics[0].second, mean_length = append_length_metrics(metrics, groups);
    if (done.count > 0) {
      append_loss_metrics(metrics, done, stage);
      append_update_metrics(metrics, done.all, stage);
    }
    run.state.trained_tokens += static_cast<int64_t>(done.all.sums.tokens);
    metrics.emplace_back("num_tokens", static_cast<double>(run.state.trained_tokens));
    metrics.emplace_back("step_tokens", done.all.sums.tokens);
    metrics.emplace_back("groups_dropped", static_cast<double>(training.dropped));
    if (stage.rollout.overprovision > 1)
      metrics.emplace_back("rollout/aborted_tokens", static_cast<double>(collector.aborted_tokens()));
    times.rewards = static_cast<double>(reward_time->nanoseconds.exchange(0)) * 1e-9;
    append_reward_times(metrics, reward->take_times());
    if (const int64_t rescored = collector.rescored_groups(); rescored > 0) {
      metrics.emplace_back("rescore/groups", static_cast<double>(rescored));
      metrics.emplace_back("rescore/mismatches", static_cast<double>(collector.rescore_mismatches()));
    }
    if (const int64_t every = run.config.log.dump_rollouts_every; every > 0 && ((step + 1) % every == 0 || step + 1 == steps))
      keep_samples();
    if (step == 0 && run.config.log.show_first_sample)
      progress.note(first_sample_text(groups, advantages, run.policy.tokenizer(), wants_colour(STDERR_FILENO)));
    if (step == first_step && sampling_of(stage).truncates())
      progress.note("top-p, top-k or min-p are on: the ratio is over the full softmax, so training is off-policy by the kept mass; "
                    "see sampling/kept_mass_mean in metrics.jsonl");
    whole.end();
    append_step_times(metrics, times, done.all, step_seconds);
    const bool stop = raise_alarms(run, stage, alarms, metrics, keep_samples);
    finish_step(run, stage, std::move(metrics));
    if (stop) stop_for_alarm(run, stage);
    progress.update(step + 1, fmt::format("reward {:.3f}  length {:.1f}  {:.0f} tok/s", mean_reward, mean_length,
                                          times.sampled_tokens() / times.rollout));
    if (stopped_early(run)) return true;
    if (interrupted()) return false;
  }
  return true;
}

}  // namespace rl
