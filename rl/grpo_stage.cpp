// The GRPO loop: prompts -> rollout -> reward -> advantage -> loss -> optimizer -> weights back to the rollout.
#include <unistd.h>

#include "kernels/error.h"
#include "kernels/trace.h"
#include "rl/advantage/step_advantages.h"
#include "rl/advantage/training_groups.h"
#include "rl/after_evaluation.h"
#include "rl/event_log.h"
#include "rl/idle_steps.h"
#include "rl/reference.h"
#include "rl/reward_metrics.h"
#include "rl/report/terminal.h"
#include "rl/rollouts/dump.h"
#include "rl/rollouts/token_table.h"
#include "rl/sampling/rollout_pipeline.h"
#include "rl/sampling/staleness.h"
#include "rl/sampling/step_rollouts.h"
#include "rl/saving.h"
#include "rl/signals.h"
#include "rl/step_metrics.h"
#include "rl/update.h"
#include "rl/watch.h"

namespace rl {
namespace {

// Steps of the RL stages before this one: a second stage must not draw the random numbers of the first again.
int64_t steps_of_earlier_stages(const Run& run) {
  int64_t steps = 0;
  for (int64_t i = 0; i < run.state.stage; ++i) {
    const StageSummary& s = run.state.summary.stages.at(static_cast<size_t>(i));
    if (s.kind == "grpo") steps += s.steps;
  }
  return steps;
}

SamplingParts sampling_parts(Run& run, const StageConfig& stage) {
  rollout::Engine& engine = *run.engine;
  return {.source = engine,
          .rest = [&engine] { engine.release_cache(); },
          .reward = stage_reward(run, stage),
          .tokenizer = run.policy.shared_tokenizer(),
          .stop_tokens = run.policy.stop_tokens(),
          .fits = prompts_that_fit(run),
          .seed = static_cast<uint64_t>(run.config.run.seed),
          .steps = steps_of(run.config, stage),
          .first_request_step = steps_of_earlier_stages(run)};
}

// While a stage samples ahead, whoever needs the engine or saves the run waits for what is under way.
struct Settling {
  Settling(Run& owner, RolloutPipeline& pipeline) : run(owner) {
    run.settle = [this, &pipeline] {
      pipeline.drain();
      run.state.ahead = pipeline.ahead();
      if (!run.state.ahead.empty()) run.state.sampling = run.state.ahead.back()->state;
    };
  }
  ~Settling() { run.settle = nullptr; }
  Run& run;
};

// Empty, or why the run must stop before it trains on the step. A resumed run takes it again, so its errors are not kept; when they
// end the run, none are.
std::string problem_of(RunState& state, const StageConfig& stage, const CollectedStep& collected) {
  RewardErrors errors = state.reward_errors;
  const std::string failure = add_errors(errors, stage, collected.groups);
  if (!failure.empty()) state.reward_errors.clear();
  else if (collected.problem.empty()) state.reward_errors = std::move(errors);
  return failure.empty() ? collected.problem : failure;
}

// The step is not trained on: it is saved as not yet taken, so that a resumed run takes it again.
[[noreturn]] void stop_before_step(Run& run, const StageConfig& stage, const Metrics& metrics, const std::string& problem) {
  run.metrics->log(stage.name, run.state.step + 1, metrics);
  append_event(run.config.run.output_dir, stage.name, run.state.step + 1, "step_not_taken", problem);
  const std::string saved = save_run_at_end(run);
  kernels::fail("stage {}, step {}: {}\nThe run is saved in {}; when that is mended, go on with --resume auto.", stage.name,
                run.state.step + 1, problem, saved);
}

}  // namespace

bool run_grpo_stage(Run& run, const StageConfig& stage) {
  StepRollouts rollouts(stage, sampling_parts(run, stage));
  rollouts.restore(run.state.sampling);
  const int64_t steps = steps_of(run.config, stage), first_step = run.state.step;
  RolloutPipeline pipeline([&](int64_t step, auto weights) { return rollouts.collect(step, std::move(weights)); },
                           {first_step, steps, stage.rollout.max_staleness_steps},
                           rollouts.take_up(std::move(run.state.ahead), first_step, run.policy.weights()), [&] { rollouts.cancel(); });
  const Settling settling(run, pipeline);
  Progress progress(stage.name, steps, first_step);

  bool stopped = false;
  for (int64_t step = first_step; step < steps; ++step) {
    double step_seconds = 0;
    kernels::Span whole("step", &step_seconds, "step", step + 1);
    keep_reference(run, stage);
    pipeline.publish(step, run.policy.weights());
    double rollout_wait = 0;
    const auto collected = pipeline.take(step, rollout_wait);
    run.policy.recycle(pipeline.retired());
    run.cost->count_samples(collected->times.before, collected->times.after);
    const std::vector<Group>& groups = collected->groups;
    StepTimes times = collected->times;
    if (stage.rollout.max_staleness_steps > 0) times.rollout_wait = rollout_wait;

    Metrics metrics = reward_metrics(groups, stage);
    if (const std::string problem = problem_of(run.state, stage, *collected); !problem.empty()) {
      if (stage.rollout.max_staleness_steps > 0) pipeline.put_back();  // it cannot be drawn again: its weights are gone
      stop_before_step(run, stage, metrics, problem);
    }
    run.state.sampling = collected->state;
    TrainingGroups training = training_groups(groups, stage);
    append_staleness(metrics, training.groups, run.policy.version());
    CorrectionSums correction;
    score_groups(run, stage, training.groups, correction, times);
    assign_advantages(training.groups, stage.advantage, stage.kl, training.part_weights);
    const Advantages advantages = advantages_of(groups, training.groups);
    const auto keep_samples = [&] {
      dump_rollouts(run.config.run.output_dir, stage.name, step + 1, groups, advantages, run.policy.tokenizer());
    };
    Updates done;
    apply_if_finite(run, stage, [&] { update_policy(run, stage, training.groups, step, steps, times, done); }, keep_samples);
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
    append_sampling_metrics(metrics, *collected, stage);
    if (const int64_t every = run.config.log.dump_rollouts_every; every > 0 && ((step + 1) % every == 0 || step + 1 == steps))
      keep_or_tell(run, stage, keep_samples);
    if (step == 0 && run.config.log.show_first_sample)
      progress.note(first_sample_text(groups, advantages, run.policy.tokenizer(), wants_colour(STDERR_FILENO)));
    if (step == first_step && sampling_of(stage).truncates() && !sampling_of(stage).renormalise)
      progress.note("top-p, top-k or min-p are on: the ratio is over the full softmax, so training is off-policy by the kept mass; "
                    "see sampling/kept_mass_mean in metrics.jsonl, or set correction.truncation = \"keep_mask\"");
    whole.end();
    append_step_times(metrics, times, done.all, step_seconds);
    const bool stop = raise_alarms(run, stage, metrics, keep_samples);
    watch_idle_steps(run, stage, groups, training);
    finish_step(run, stage, std::move(metrics));
    if (stop) stop_for_alarm(run, stage);
    progress.update(step + 1, fmt::format("reward {:.3f}  length {:.1f}  {:.0f} tok/s", mean_reward, mean_length,
                                          times.sampled_tokens() / times.rollout));
    if (stopped_early(run)) break;
    if ((stopped = interrupted())) break;
  }
  run.settle();
  return !stopped;
}

}  // namespace rl
