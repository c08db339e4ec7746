// The evaluations of a stage: before it, on the way and after it.
#include <algorithm>
#include <utility>

#include "kernels/error.h"
#include "kernels/trace.h"
#include "rl/after_evaluation.h"
#include "rl/evaluate.h"
#include "rl/event_log.h"
#include "rl/saving.h"
#include "rl/reward_metrics.h"
#include "rl/run.h"
#include "rl/sampling/mixture_metrics.h"
#include "rl/sampling/prompt_maker.h"
#include "rl/sampling/step_rollouts.h"
#include "rl/sft/held_out_loss.h"
#include "rl/sft/rows.h"

namespace rl {
namespace {

// What one evaluation found; parts that the stage does not have are empty.
struct Findings {
  std::optional<HeldOutLoss> loss;
  std::optional<Evaluation> greedy, sampled;
  std::optional<ShownSample> sample;
};

void predict_completions(Run& run, const StageConfig& stage, const std::vector<Problem>& problems, const std::string& when, Findings& found,
                         Metrics& numbers) {
  StageConfig held_back = stage;  // errors name the file that a problem is of
  held_back.data.train = stage.data.eval;
  for (DatasetConfig& set : held_back.datasets) set.data.train = set.data.eval;
  const SftTokenizer tokenizer = sft_tokenizer(run, held_back);
  std::vector<SftSequence> rows;
  for (const auto& problem : problems) {
    if (problem.completion.empty()) continue;
    if (auto row = tokenizer.sequence(problem)) rows.push_back(std::move(*row));
  }
  if (rows.empty()) return;
  const int64_t most_rows = std::min(run.plan.microbatch_rows, stage.optimizer.max_tokens_per_microbatch);
  double flops = 0;
  const HeldOutLoss loss = held_out_loss(*run.policy.weights(), rows, most_rows, flops);
  run.policy.count_flops(flops);
  found.loss = loss;
  numbers.insert(numbers.end(), {{"eval/loss", loss.loss}, {"eval/perplexity", loss.perplexity}, {"eval/token_accuracy", loss.token_accuracy}});
  fmt::print(stderr, "{} {}: held-back loss {:.4f}, perplexity {:.3g}, {:.1f}% of tokens right ({} rows, {} tokens)\n", when, stage.name,
             loss.loss, loss.perplexity, 100 * loss.token_accuracy, loss.rows, loss.tokens);
}

std::vector<Problem> fitting(std::vector<Problem> problems, const StageConfig& stage, const FitsOf& fits_of) {
  std::vector<Fits> fits;
  for (const DatasetConfig& set : stage.sets()) fits.push_back(fits_of(set));
  std::erase_if(problems, [&](const Problem& p) {
    const Fits& own = fits.at(static_cast<size_t>(p.set));
    return own && !own(p);
  });
  return problems;
}

// Nothing of the evaluation is recorded; no step before it is lost.
[[noreturn]] void stop_before_evaluation(Run& run, const StageConfig& stage, const std::string& when, const std::string& problem) {
  append_event(run.config.run.output_dir, stage.name, run.state.step, "reward_failed", problem);
  run.state.pending_evaluation = when;
  const std::string saved = save_run_at_end(run);
  kernels::fail("stage {}: {}\nNothing is recorded of it. The run is saved in {}; when the reward works, go on with --resume auto, which "
                "begins with this evaluation.", stage.name, problem, saved);
}

void answer_problems(Run& run, const StageConfig& stage, const Mixture& data, const std::vector<Problem>& problems, const std::string& when,
                     Findings& found, Metrics& numbers) {
  const auto prompts = PromptMaker(stage, run.policy.shared_tokenizer())(fitting(problems, stage, prompts_that_fit(run)));
  if (prompts.empty()) return;
  const auto scorer = make_scorer(stage_reward(run, stage), stage.rewards);
  Collector collector(*run.engine, scorer, run.policy.shared_tokenizer(), stage.chat_template, run.policy.stop_tokens());
  run.engine->publish(run.policy.weights());
  Ask ask;
  ask.samples = stage.eval.samples;
  ask.max_new_tokens = stage.eval.max_new_tokens > 0 ? stage.eval.max_new_tokens : stage.rollout.max_new_tokens;
  ask.stop = stage.rollout.stop;
  ask.seed = static_cast<uint64_t>(run.config.run.seed);
  ask.purpose = kernels::Purpose::eval;
  const auto judges = judges_of(stage);
  const auto statistics = run.engine->statistics();
  ask.sampling.temperature = stage.eval.temperature;
  const auto greedy = evaluate(collector, prompts, ask, judges);
  ask.sampling = sampling_of(stage);
  ask.sampling.renormalise = false;  // for training only
  const auto sampled = evaluate(collector, prompts, ask, judges);
  run.cost->count_samples(statistics, run.engine->statistics());
  run.engine->publish(nullptr);
  run.engine->release_cache();
  for (const auto* result : {&greedy, &sampled})
    if (const std::string problem = evaluation_problem(result->groups, stage); !problem.empty())
      stop_before_evaluation(run, stage, when, problem);
  found.greedy = greedy.numbers, found.sampled = sampled.numbers;
  found.sample = shown(greedy.groups.front(), 0, "");
  numbers.insert(numbers.end(), {{"eval/accuracy", greedy.numbers.accuracy},
                                 {"eval/accuracy_standard_error", greedy.numbers.standard_error},
                                 {"eval/mean_length", greedy.numbers.mean_length},
                                 {"eval/sampled_accuracy", sampled.numbers.accuracy},
                                 {"eval/sampled_mean_length", sampled.numbers.mean_length},
                                 {"eval/no_answer_share", greedy.numbers.no_answer_share},
                                 {"eval/truncated_share", greedy.numbers.truncated_share}});
  if (data.count() > 1) append_mixture_evaluation(numbers, greedy.groups, data, judges);
  fmt::print(stderr, "{} {}: greedy accuracy {:.3f} ± {:.3f}, length {:.1f}; sampled {:.3f}, length {:.1f} ({} problems)\n", when, stage.name,
             greedy.numbers.accuracy, greedy.numbers.standard_error, greedy.numbers.mean_length, sampled.numbers.accuracy,
             sampled.numbers.mean_length, greedy.numbers.problems);
}

void record(Run& run, const StageConfig& stage, const Findings& found, const std::string& when) {
  StageSummary& summary = run.stage_summary();
  const bool before = when == "before";
  (before ? summary.loss_before : summary.loss_after) = found.loss;
  (before ? summary.greedy_before : summary.greedy_after) = found.greedy;
  (before ? summary.sampled_before : summary.sampled_after) = found.sampled;
  if (stage.kind != "grpo" || !found.sample) return;
  auto& sample = before ? run.state.summary.before : run.state.summary.after;
  sample = found.sample;
  sample->stage = when + " " + stage.name;
}

}  // namespace

void evaluate_stage(Run& run, const StageConfig& stage, const std::string& when) {
  if (stage.eval_problems() == 0) return;
  if (run.settle) run.settle();  // the engine is ours
  double seconds = 0;
  kernels::Span span("evaluation", &seconds);
  const auto data = open_stage_data(stage, static_cast<uint64_t>(run.config.run.seed));
  const auto problems = data->held_back();
  if (const int64_t rows = data->held_out(); when == "before" && rows > 0)
    fmt::print(stderr, "{}: {} rows of the training data ask what is held back for evaluation, and are left out\n", stage.name,
               rows);
  Findings found;
  Metrics numbers;
  if (stage.kind == "sft") predict_completions(run, stage, problems, when, found, numbers);
  if (!stage.rewards.empty()) answer_problems(run, stage, *data, problems, when, found, numbers);
  span.end();
  if (numbers.empty()) return;
  Metrics line = numbers;
  line.emplace_back("timing/eval_seconds", seconds);
  charge(run, line);
  run.metrics->log(stage.name, run.state.step, line);
  after_evaluation(run, stage, numbers, when == "after");
  if (when != "during") record(run, stage, found, when);
  if (when != "after" && stopped_early(run)) record(run, stage, found, "after");
}

void make_up_evaluation(Run& run, const StageConfig& stage) {
  if (run.state.pending_evaluation.empty()) return;
  evaluate_stage(run, stage, std::exchange(run.state.pending_evaluation, ""));
  run.save_due = true;  // as after the step that it belongs to
}

}  // namespace rl
