// The SFT loop: problems with their completions -> one group each -> forward, backward, step.
#include "kernels/error.h"
#include "kernels/trace.h"
#include "rl/data/conversation.h"
#include "rl/run.h"
#include "rl/step_times.h"
#include "rl/watch.h"

namespace rl {
namespace {

TrainGroup group_of(const Run& run, const StageConfig& stage, const Problem& problem, int64_t index) {
  const auto& tokenizer = run.policy.tokenizer();
  const DatasetConfig set = stage.sets().at(static_cast<size_t>(problem.set));
  TrainGroup group;
  group.group_id = index;
  TrainSequence sequence;
  if (problem.messages.empty()) {
    group.prompt = tokenizer.encode(model::render_prompt(set.chat_template, problem.question));
    sequence.tokens = tokenizer.encode(problem.completion);
    if (!run.policy.stop_tokens().empty()) sequence.tokens.push_back(run.policy.stop_tokens().front());
    sequence.trained.assign(sequence.tokens.size(), 1);
  } else {
    ConversationTokens all = conversation_tokens(tokenizer, set.chat_template, problem.messages, run.policy.stop_tokens());
    group.prompt = std::move(all.prompt);
    sequence.tokens = std::move(all.tokens);
    sequence.trained.assign(all.trained.begin(), all.trained.end());
  }
  group.prompt = cut_left(std::move(group.prompt), set.data.max_prompt_tokens);
  const size_t positions = group.prompt.size() + sequence.tokens.size() - 1;  // the last token is predicted, never read
  if (static_cast<int64_t>(positions) > run.policy.config().max_positions)
    kernels::fail_usage("{}: row {}: a prompt of {} tokens and a completion of {} need {} positions, but the model has {}. Shorten "
                        "or remove the row, or set data.overlong_prompt = \"truncate_left\" and a lower data.max_prompt_tokens.",
                        set.data.train, problem.prompt_id + 1, group.prompt.size(), sequence.tokens.size(), positions,
                        run.policy.config().max_positions);
  group.sequences.push_back(std::move(sequence));
  return group;
}

}  // namespace

bool run_sft_stage(Run& run, const StageConfig& stage) {
  const auto data = open_stage_data(stage, static_cast<uint64_t>(run.config.run.seed), prompts_that_fit(run, stage));
  const int64_t steps = steps_of(run.config, stage), batch = stage.sequences_per_step;
  Progress progress(stage.name, steps, run.state.step);

  for (int64_t step = run.state.step; step < steps; ++step) {
    double step_seconds = 0;
    kernels::Span whole("step", &step_seconds, "step", step + 1);
    std::vector<TrainGroup> groups;
    for (int64_t i = 0; i < batch; ++i) {
      const Problem problem = data->problem(step * batch + i);
      if (problem.completion.empty())
        kernels::fail_usage("data.train: row {} has no completion to learn from; set data.completion_key.", problem.prompt_id);
      groups.push_back(group_of(run, stage, problem, step * batch + i));
    }
    LossConfig token_mean = stage.loss;
    token_mean.aggregation = "token_mean";
    weigh_tokens(groups, token_mean);
    UpdateStatistics update;
    const bool applied = apply_if_finite(
        run, stage,
        [&] {
          update = run.policy.accumulate(groups, stage, {run.plan.microbatch_rows, run.plan.recomputed_blocks});
          run.policy.apply(update, stage, step, steps);
        },
        [] {});
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
    finish_step(run, stage, std::move(metrics));
    progress.update(step + 1, fmt::format("loss {:.3f}", update.sums.loss));
    if (interrupted()) return false;
  }
  return true;
}

}  // namespace rl
