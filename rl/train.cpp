// `ponder train`: every stage of a config, one after the other, with checkpoints, metrics and a closing summary.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "kernels/error.h"
#include "kernels/thread_pool.h"
#include "kernels/trace.h"
#include "kernels/watchdog.h"
#include "model/files/safetensors.h"
#include "rl/after_evaluation.h"
#include "rl/check.h"
#include "rl/checkpoint_folders.h"
#include "rl/commands/commands.h"
#include "rl/commands/machine.h"
#include "rl/data/prompt_text.h"
#include "rl/line_log.h"
#include "rl/report/forgiving_stream.h"
#include "rl/report/report.h"
#include "rl/report/terminal.h"
#include "rl/reward_metrics.h"
#include "rl/run.h"
#include "rl/run_folder.h"
#include "rl/saving.h"
#include "rl/sft/end_token.h"
#include "rl/sft/rows.h"
#include "rl/signals.h"
#include "rl/state_log.h"
#include "rl/stuck.h"

namespace rl {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> stage_names(const Config& config) {
  std::vector<std::string> names;
  for (const auto& s : config.stages) names.push_back(s.name);
  return names;
}

// What the run did after checkpoint `from` before is not what it goes on from.
void abandon(const Run& run, const std::string& from) {
  const auto left = abandon_later_checkpoints(run.config.run.output_dir, run.state.global_step, from);
  if (left.empty()) return;
  std::string text = fmt::format("checkpoints after the one to go on from, kept until you delete them: {}", left[0]);
  if (left.size() > 1) text += fmt::format(" to {} ({})", fs::path(left.back()).filename().string(), left.size());
  write_event(run, "abandoned", text);
  fmt::print(stderr, "{}\n", text);
}

// Fills run.state, and cuts the metrics after it. False: start from nothing.
bool resume(Run& run) {
  const CheckpointConfig& c = run.config.checkpoint;
  std::optional<std::string> from;
  if (c.resume == "auto") from = newest_checkpoint(run.config.run.output_dir);
  else if (c.resume != "off") from = c.resume;
  if (!from) {
    if (c.resume == "auto") fmt::print(stderr, "no checkpoint in {}: starting from the beginning\n", run.config.run.output_dir);
    return false;
  }
  if (const std::string changes = changed_settings(*from, run.config); !changes.empty())
    kernels::fail_usage("{}: these settings differ from the checkpoint's and would change the result:\n{}Set them back, or start a new run "
                        "with another run.output_dir.", *from, changes);
  run.state = load_checkpoint(*from, run.policy, &run.reference_master);
  run.seconds_at_start = run.state.seconds;
  abandon(run, *from);
  const auto names = stage_names(run.config);
  for (const char* file : {"metrics.jsonl", "states.jsonl"})
    truncate_lines_after((fs::path(run.config.run.output_dir) / file).string(), names, names.at(static_cast<size_t>(run.state.stage)),
                         run.state.step, !run.state.pending_evaluation.empty());
  write_event(run, "resumed", *from);
  fmt::print(stderr, "resuming from {}: stage {}, step {} done\n", *from, names[static_cast<size_t>(run.state.stage)], run.state.step);
  return true;
}

// True: the stage ran to its end.
bool run_stage(Run& run, size_t index) {
  const StageConfig& stage = run.config.stages[index];
  const bool fresh = run.state.summary.stages.size() <= index;
  if (fresh) {
    run.state.stage = static_cast<int64_t>(index);
    begin_stage(run, stage);
    evaluate_stage(run, stage, "before");
  }
  make_up_evaluation(run, stage);
  if (run.save_due) try_to_save(run);
  run.stage_seconds_at_start = run.stage_summary().seconds;
  run.stage_start = std::chrono::steady_clock::now();
  const bool done = stopped_early(run) || (stage.kind == "sft" ? run_sft_stage(run, stage) : run_grpo_stage(run, stage));
  StageSummary& summary = run.stage_summary();
  run.count_stage_seconds();
  run.stage_start.reset();
  // A finished stage that was given more steps is evaluated again.
  const bool evaluated =
      stopped_early(run) || ((summary.greedy_after || summary.loss_after) && summary.steps == run.state.step);
  summary.steps = run.state.step;
  summary.tokens = run.state.trained_tokens;
  if (!done) {
    save_run_at_end(run);
    return false;
  }
  if (!evaluated) evaluate_stage(run, stage, "after");
  Metrics rest;
  charge(run, rest);
  save_run_at_end(run);
  return true;
}

void close(Run& run, bool interrupted_run) {
  RunSummary& s = run.state.summary;
  s.name = run.config.run.name;
  s.config_file = run.config.file;
  s.output_dir = run.config.run.output_dir;
  s.model = run.policy.description();
  s.machine = machine_line();
  s.version = PONDER_VERSION;
  s.seed = run.config.run.seed;
  s.currency = run.config.cost.currency;
  s.seconds = run.seconds();
  s.peak_memory_mb = peak_resident_mb();
  s.interrupted = interrupted_run;
  const fs::path directory(run.config.run.output_dir);
  save_with_patience(run, "the summary", [&] {
    const kernels::Wait wait("the summary to be written");
    sync_lines();
    write_summary((directory / "summary.json").string(), s);
    write_report(directory.string(), s, config_to_toml(run.config));
  });
  std::string rl_stage;
  for (const auto& stage : run.config.stages)
    if (stage.kind == "grpo") rl_stage = stage.name;
  const auto metrics = read_metrics((directory / "metrics.jsonl").string());
  fmt::print("{}", closing_text(s, metric_of(metrics, rl_stage, "reward"), wants_colour(STDOUT_FILENO)));
}

}  // namespace

void begin_stage(Run& run, const StageConfig& stage) {
  StageSummary summary;
  summary.name = stage.name;
  summary.kind = stage.kind;
  run.state.summary.stages.push_back(summary);
  run.state.step = 0;
  run.state.trained_tokens = 0;
  run.state.entropy_bonus = EntropyBonus(stage.loss.entropy_coef);
  run.state.early_stop = {};
  run.state.alarms = {};
  run.state.reward_errors.clear();
  run.state.idle_steps = 0;
  run.state.sampling.begin_stage();
  run.state.ahead.clear();
  run.policy.reset_optimizer();
  run.reference_master = at::Tensor();
  run.reference = nullptr;
}

std::shared_ptr<reward::Sum> stage_reward(Run& run, const StageConfig& stage) {
  if (run.judge && run.judge_stage == stage.name) return run.judge;
  run.judge = make_reward(stage.rewards, stage.advantage.reward_low, stage.advantage.reward_high);
  run.judge_stage = stage.name;
  if (const std::string problem = run.judge->self_test(); !problem.empty())
    kernels::fail("stage {}: reward {}\nNothing is trained without it; see `ponder check`.", stage.name, problem);
  std::string& known = run.stage_summary().rewards;
  const std::string now = fmt::format("{}; settings {}", run.judge->version(), reward::settings_hash(stage.rewards));
  if (!known.empty() && known != now)
    fmt::print(stderr, "warning: stage {}: its rewards were\n  {}\nwhen the run began, and are now\n  {}\n", stage.name, known, now);
  known = now;
  return run.judge;
}

int64_t steps_of(const Config& config, const StageConfig& stage) {
  if (stage.epochs > 0) return stage.epoch_steps;
  return stage.kind != "sft" && config.run.steps > 0 ? (stage.steps > 0 ? std::min(stage.steps, config.run.steps) : config.run.steps) : stage.steps;
}

void append_update_metrics(Metrics& metrics, const UpdateStatistics& update, const StageConfig& stage) {
  metrics.emplace_back("grad_norm", update.grad_norm);
  metrics.emplace_back("learning_rate", update.learning_rate);
  double least = 1, most = 0, violation = 0, layers = 0;
  for (const auto& loads : update.expert_loads) {
    double total = 0;
    for (int64_t x : loads) total += static_cast<double>(x);
    if (loads.empty()) continue;
    const double own_most = static_cast<double>(*std::max_element(loads.begin(), loads.end()));
    violation += own_most * static_cast<double>(loads.size()) / total - 1, layers += 1;
    for (int64_t x : loads) {
      least = std::min(least, static_cast<double>(x) / total);
      most = std::max(most, static_cast<double>(x) / total);
    }
  }
  if (layers == 0) return;
  if (stage.moe.aux_loss_coef > 0) metrics.emplace_back("aux_loss", update.aux_loss);
  metrics.emplace_back("moe/load_min_share", least);
  metrics.emplace_back("moe/load_max_share", most);
  metrics.emplace_back("moe/load_max_violation", violation / layers);
}

SftTokenizer sft_tokenizer(const Run& run, const StageConfig& stage) {
  return SftTokenizer(run.policy.shared_tokenizer(), stage, run.policy.stop_tokens(), run.policy.config().max_positions);
}

FitsOf prompts_that_fit(const Run& run) {
  return [tokenizer = run.policy.shared_tokenizer()](const DatasetConfig& set) -> Fits {
    if (set.data.overlong_prompt == "truncate_left") return nullptr;
    return [tokenizer, style = set.chat_template, most = set.data.max_prompt_tokens,
            refuse = set.data.overlong_prompt == "error"](const Problem& problem) {
      const auto tokens = static_cast<int64_t>(tokenizer->encode(prompt_text(style, problem)).size());
      if (tokens > most && refuse)
        kernels::fail_usage("data.max_prompt_tokens: is {}, but the prompt of \"{}\" has {} tokens. Raise it, or set "
                            "data.overlong_prompt to \"drop\" or \"truncate_left\".", most, problem.question, tokens);
      return tokens <= most;
    };
  };
}

void finish_step(Run& run, const StageConfig& stage, Metrics metrics) {
  ++run.state.step;
  ++run.state.global_step;
  metrics.emplace_back("timing/checkpoint_seconds", std::exchange(run.checkpoint_seconds, 0.0));
  metrics.emplace_back("timing/memory_mb", resident_mb());
  charge(run, metrics);
  run.metrics->log(stage.name, run.state.step, metrics);
  if (run.config.log.state_hash)
    append_state((fs::path(run.config.run.output_dir) / "states.jsonl").string(), hash_state(run.policy.store(), stage.name, run.state.step));
  retry_lines();
  kernels::flush_trace();
  // The stage's last step is saved by run_stage, after its evaluation: a checkpoint holds every line of its step, so that
  // a resumed run neither loses one nor writes it twice.
  if (run.state.step >= steps_of(run.config, stage)) return;
  const int64_t eval_every = stage.eval.every_steps, every = run.config.checkpoint.every_steps;
  if (eval_every > 0 && run.state.step % eval_every == 0) evaluate_stage(run, stage, "during");
  if (stopped_early(run)) return;  // as after the last step
  if (take_save_request()) {
    write_event(run, "signal", "SIGUSR1: a checkpoint after this step");
    run.save_due = true;
  }
  run.save_due |= every > 0 && run.state.step % every == 0;
  if (run.save_due) try_to_save(run);
}

namespace {

// The trace's file is whole at the end of the run, an exception included.
struct Tracing {
  explicit Tracing(const std::string& file) {
    if (!file.empty()) kernels::start_trace(file);
  }
  ~Tracing() {
    try {
      kernels::stop_trace();
    } catch (const kernels::Error& error) {
      fmt::print(stderr, "warning: {}\n", error.what());
    }
  }
};

}  // namespace

int run_train(const Config& given, const TrainOptions& options) {
  forgive_failed_writes(stdout, STDOUT_FILENO, _IOLBF);
  install_signal_handlers();
  const auto watchdog = watch_waits(given.run);
  const CheckResult found = check_run(given);
  for (const auto& line : found.warnings) fmt::print(stderr, "warning: {}\n", line);
  for (const auto& line : found.errors) fmt::print(stderr, "{}\n", line);
  if (!found.errors.empty()) return 2;
  Config config = given;
  for (auto& stage : config.stages) {
    model::resolve_template(stage.chat_template, config.model.path, "plain");
    for (auto& set : stage.datasets) model::resolve_template(set.chat_template, config.model.path, "plain");
  }
  kernels::set_threads(config.run.threads, config.run.pin_threads);
  install_interrupt_handlers();
  MemoryPlan plan = plan_memory(config);
  if (!plan.error.empty()) kernels::fail_usage("{}", plan.error);
  const std::string& resume_from = config.checkpoint.resume;
  const bool fresh = resume_from == "off" || (resume_from == "auto" && !newest_checkpoint(config.run.output_dir));
  const RunFolder folder(config.run.output_dir, fresh);
  kernels::name_trace_lane("training");
  const Tracing tracing(options.trace ? options.trace_file.empty() ? (fs::path(config.run.output_dir) / "trace.json").string()
                                                                   : options.trace_file
                                      : "");

  Run run{.config = config, .plan = plan, .policy = Policy(config.model, static_cast<uint64_t>(config.run.seed), true), .engine = {},
          .metrics = {}, .cost = std::make_unique<CostMeter>(config.cost, machine_line()), .state = {}, .reference_master = {},
          .reference = {}};
  run.policy.stop_also_at(taught_ends(config, run.policy.tokenizer(), run.policy.stop_tokens()));
  for (auto& stage : config.stages)
    if (stage.epochs > 0) {
      const auto rows = open_sft_rows(stage, static_cast<uint64_t>(config.run.seed), sft_tokenizer(run, stage));
      stage.epoch_steps = sft_steps(stage, rows.data->size());
    }
  rollout::EngineConfig engine;
  engine.cache_bytes = plan.cache;
  // One engine serves all stages: the most that any of them allows. Neither changes a result.
  engine.max_tokens_per_batch = engine.max_sequences = 0;
  engine.prefix_cache = false;
  for (const auto& stage : config.stages) {
    engine.prefix_cache |= stage.rollout.prefix_cache;
    engine.record_routes |= stage.kind == "grpo" && stage.moe.replay == "rollout";
    engine.max_tokens_per_batch = std::max(engine.max_tokens_per_batch, stage.rollout.max_tokens_per_batch);
    engine.max_sequences = std::max(engine.max_sequences, stage.rollout.max_sequences);
  }
  run.engine = std::make_unique<rollout::Engine>(run.policy.config(), run.policy.dtype(), engine, run.policy.shared_tokenizer());
  fmt::print(stderr, "{}\n{}\n{}", run.policy.description(), machine_line(), memory_table(plan));

  if (!resume(run)) write_event(run, "started", fmt::format("{}, {}", config.file, machine_line()));
  run.metrics = std::make_unique<MetricsLog>(config.run.output_dir, config.log.tensorboard);
  model::write_file_atomically((fs::path(config.run.output_dir) / "config.toml").string(), config_to_toml(config));
  for (size_t i = static_cast<size_t>(run.state.stage); i < config.stages.size(); ++i) {
    if (!run_stage(run, i)) {
      write_event(run, "ended", "interrupted, and saved");
      close(run, true);
      return 130;
    }
  }
  save_with_patience(run, "the final model", [&] {
    const kernels::Wait wait("the final model to be written");
    run.policy.save((fs::path(config.run.output_dir) / "final").string(), saved_chat_template(config.stages.back()));
  });
  write_event(run, "ended", "all stages are done");
  close(run, false);
  return 0;
}

}  // namespace rl
