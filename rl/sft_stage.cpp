// The SFT loop: problems with their completions -> one group each -> forward, backward, step.
#include <fmt/core.h>

#include "kernels/trace.h"
#include "rl/after_evaluation.h"
#include "rl/run.h"
#include "rl/sft/rows.h"
#include "rl/sft/saved_rows.h"
#include "rl/signals.h"
#include "rl/step_times.h"
#include "rl/watch.h"

namespace rl {

bool run_sft_stage(Run& run, const StageConfig& stage) {
  const SftTokenizer tokenizer = sft_tokenizer(run, stage);
  const SftRows rows = open_sft_rows(stage, static_cast<uint64_t>(run.config.run.seed), tokenizer);
  const int64_t steps = steps_of(run.config, stage);
  Progress progress(stage.name, steps, run.state.step);
  if (rows.left_out > 0)
    progress.note(fmt::format("{} rows are too long (data.max_prompt_tokens, sft.max_tokens) and left out", rows.left_out));
  if (rows.blank > 0) progress.note(fmt::format("{} rows have an empty completion and are left out", rows.blank));

  for (int64_t step = run.state.step; step < steps; ++step) {
    double step_seconds = 0;
    kernels::Span whole("step", &step_seconds, "step", step + 1);
    std::vector<TrainGroup> groups;
    const RowRange range = rows_of_step(stage, step, rows.data->size());
    for (int64_t i = range.first; i < range.end; ++i) groups.push_back(group_of(tokenizer.sequence(rows.data->problem(i)).value(), i));
    LossConfig token_mean = stage.loss;
    token_mean.aggregation = "token_mean";
    weigh_tokens(groups, token_mean);
    const auto keep_rows = [&] {
      save_rows(run.config.run.output_dir, stage.name, step + 1, *rows.data, range, tokenizer, run.policy.tokenizer());
    };
    UpdateStatistics update;
    const bool applied = apply_if_finite(
        run, stage,
        [&] {
          update = run.policy.accumulate(groups, stage, {run.plan.microbatch_rows, run.plan.recomputed_blocks});
          run.policy.apply(update, stage, step, steps);
        },
        keep_rows);
    // ---- only logging and saving below
    Metrics metrics;
    if (applied) {
      metrics = {{"loss", update.sums.loss}, {"entropy", update.sums.entropy / update.sums.tokens}};
      append_update_metrics(metrics, update, stage);
    }
    run.state.trained_tokens += static_cast<int64_t>(update.sums.tokens);
    metrics.emplace_back("num_tokens", static_cast<double>(run.state.trained_tokens));
    whole.end();
    append_update_times(metrics, update, step_seconds);
    const bool stop = raise_alarms(run, stage, metrics, keep_rows);
    finish_step(run, stage, std::move(metrics));
    if (stop) stop_for_alarm(run, stage);
    progress.update(step + 1, fmt::format("loss {:.3f}", update.sums.loss));
    if (stopped_early(run)) break;
    if (interrupted()) return false;
  }
  return true;
}

}  // namespace rl
