// `ponder train`: every stage of a config, one after the other, with checkpoints, metrics and a closing summary.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <utility>

#include "kernels/error.h"
#include "kernels/thread_pool.h"
#include "kernels/trace.h"
#include "kernels/watchdog.h"
#include "model/files/safetensors.h"
#include "rl/after_evaluation.h"
#include "rl/check.h"
#include "rl/commands/commands.h"
#include "rl/event_log.h"
#include "rl/last_save.h"
#include "rl/commands/machine.h"
#include "rl/data/prompt_text.h"
#include "rl/report/report.h"
#include "rl/reward_metrics.h"
#include "rl/run.h"
#include "rl/sft/end_token.h"
#include "rl/sft/rows.h"
#include "rl/state_log.h"
#include "rl/report/terminal.h"

namespace rl {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

std::atomic<bool> stop_asked{false}, save_asked{false};

extern "C" void on_interrupt(int) {
  if (stop_asked.exchange(true)) _exit(130);
  const char text[] = "\nponder: finishing this step, then saving. Once more to stop at once.\n";
  (void)!write(STDERR_FILENO, text, sizeof text - 1);
}

extern "C" void on_save_request(int) { save_asked = true; }

void write_event(const Run& run, const std::string& kind, const std::string& text) {
  const std::string stage = run.state.summary.stages.empty() ? "" : run.state.summary.stages.back().name;
  append_event(run.config.run.output_dir, stage, run.state.step, kind, text);
}

std::vector<std::string> stage_names(const Config& config) {
  std::vector<std::string> names;
  for (const auto& s : config.stages) names.push_back(s.name);
  return names;
}

// An earlier run is not lost when its config is run again: it moves aside, and its lines do not mix with the new ones.
void move_earlier_run_aside(std::string directory) {
  if (!fs::exists(fs::path(directory) / "metrics.jsonl")) return;
  while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
  for (int i = 1;; ++i) {
    const std::string aside = fmt::format("{}.{}", directory, i);
    if (fs::exists(aside)) continue;
    fs::rename(directory, aside);
    fmt::print(stderr, "the earlier run in {} moved to {} (--resume auto goes on with a run that has a checkpoint)\n", directory,
               aside);
    return;
  }
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
  const auto names = stage_names(run.config);
  for (const char* file : {"metrics.jsonl", "states.jsonl"})
    truncate_lines_after((fs::path(run.config.run.output_dir) / file).string(), names, names.at(static_cast<size_t>(run.state.stage)),
                         run.state.step);
  write_event(run, "resumed", *from);
  fmt::print(stderr, "resuming from {}: stage {}, step {} done\n", *from, names[static_cast<size_t>(run.state.stage)], run.state.step);
  return true;
}

// A disk that is full for a while must not end a run: the checkpoint is tried again after the next step, and the earlier ones
// stay.
void try_to_save(Run& run) {
  try {
    save_run(run);
  } catch (const kernels::Error& error) {
    run.save_due = true;
    write_event(run, "save_failed", error.what());
    fmt::print(stderr, "\nwarning: no checkpoint at step {}, it is tried again after the next: {}\n", run.state.global_step, error.what());
  }
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
  const auto start = Clock::now();
  const double earlier = run.stage_summary().seconds;
  const bool done = stopped_early(run) || (stage.kind == "sft" ? run_sft_stage(run, stage) : run_grpo_stage(run, stage));
  StageSummary& summary = run.stage_summary();
  summary.seconds = earlier + std::chrono::duration<double>(Clock::now() - start).count();
  // A finished stage that was given more steps is evaluated again.
  const bool evaluated =
      stopped_early(run) || ((summary.greedy_after || summary.loss_after) && summary.steps == run.state.step);
  summary.steps = run.state.step;
  summary.tokens = run.state.trained_tokens;
  if (!done) {
    save_with_patience(run, "the checkpoint", [&] { save_run(run); });
    return false;
  }
  if (!evaluated) evaluate_stage(run, stage, "after");
  Metrics rest;
  charge(run, rest);
  try_to_save(run);
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
  write_summary((directory / "summary.json").string(), s);
  write_report(directory.string(), s, config_to_toml(run.config));
  std::string rl_stage;
  for (const auto& stage : run.config.stages)
    if (stage.kind == "grpo") rl_stage = stage.name;
  const auto metrics = read_metrics((directory / "metrics.jsonl").string());
  fmt::print("{}", closing_text(s, metric_of(metrics, rl_stage, "reward"), wants_colour(STDOUT_FILENO)));
}

}  // namespace

void install_interrupt_handler() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = on_save_request;
  action.sa_flags = SA_RESTART;
  sigaction(SIGUSR1, &action, nullptr);
}

bool interrupted() { return stop_asked.load(); }

std::string save_run(Run& run) {
  if (run.settle) run.settle();
  const kernels::Span span("checkpoint", &run.checkpoint_seconds);
  const kernels::Wait wait("the checkpoint to be written");
  run.state.seconds = run.seconds();
  run.metrics->sync();
  const std::string saved = save_checkpoint(run.config.run.output_dir, run.policy, run.reference_master, run.state, run.config,
                                            run.config.checkpoint.keep_last);
  write_event(run, "saved", saved);
  run.save_due = false;
  return saved;
}

void begin_stage(Run& run, const StageConfig& stage) {
  StageSummary summary;
  summary.name = stage.name;
  summary.kind = stage.kind;
  run.state.summary.stages.push_back(summary);
  run.state.step = 0;
  run.state.trained_tokens = 0;
  run.state.entropy_bonus = EntropyBonus(stage.loss.entropy_coef);
  run.state.early_stop = {};
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
  kernels::flush_trace();
  // The stage's last step is saved by run_stage, after its evaluation: a checkpoint holds every line of its step, so that
  // a resumed run neither loses one nor writes it twice.
  if (run.state.step >= steps_of(run.config, stage)) return;
  const int64_t eval_every = stage.eval.every_steps, every = run.config.checkpoint.every_steps;
  if (eval_every > 0 && run.state.step % eval_every == 0) evaluate_stage(run, stage, "during");
  if (stopped_early(run)) return;  // as after the last step
  if (save_asked.exchange(false)) {
    write_event(run, "signal", "SIGUSR1: a checkpoint after this step");
    run.save_due = true;
  }
  run.save_due |= every > 0 && run.state.step % every == 0;
  if (run.save_due) try_to_save(run);
}

namespace {

// A run that hangs says where, and makes room for one that goes on from its checkpoint.
std::unique_ptr<kernels::Watchdog> make_watchdog(const RunConfig& config) {
  if (config.wait_deadline_s == 0) return nullptr;
  return std::make_unique<kernels::Watchdog>(config.wait_deadline_s, [directory = config.output_dir](const std::string& what,
                                                                                                     const std::string& report) {
    const std::string file = (fs::path(directory) / "stuck.txt").string();
    fmt::print(stderr, "\nponder: {}, longer than run.wait_deadline_s: the run ends here. What every thread does ({}):\n{}"
               "Go on from the newest checkpoint with --resume auto.\n", what, file, report);
    std::ofstream(file) << what << '\n' << report;
    append_event(directory, "", 0, "stuck", what + "; see stuck.txt");
    _exit(3);
  });
}

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
  const auto watchdog = make_watchdog(given.run);
  const CheckResult found = check_run(given);
  for (const auto& line : found.warnings) fmt::print(stderr, "warning: {}\n", line);
  for (const auto& line : found.errors) fmt::print(stderr, "{}\n", line);
  if (!found.errors.empty()) return 2;
  Config config = given;
  for (auto& stage : config.stages) {
    model::resolve_template(stage.chat_template, config.model.path, "plain");
    for (auto& set : stage.datasets) model::resolve_template(set.chat_template, config.model.path, "plain");
  }
  kernels::set_threads(config.run.threads);
  install_interrupt_handler();
  MemoryPlan plan = plan_memory(config);
  if (!plan.error.empty()) kernels::fail_usage("{}", plan.error);
  const std::string& resume_from = config.checkpoint.resume;
  if (resume_from == "off" || (resume_from == "auto" && !newest_checkpoint(config.run.output_dir))) move_earlier_run_aside(config.run.output_dir);
  fs::create_directories(config.run.output_dir);
  kernels::name_trace_lane("training");
  const Tracing tracing(options.trace ? options.trace_file.empty() ? (fs::path(config.run.output_dir) / "trace.json").string()
                                                                   : options.trace_file
                                      : "");

  Run run{.config = config, .plan = plan, .policy = Policy(config.model, static_cast<uint64_t>(config.run.seed), true), .engine = {}, .metrics = {}, .cost = std::make_unique<CostMeter>(config.cost, machine_line()), .state = {}, .reference_master = {}, .reference = {}};
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
    const auto chat = config.stages.back().sets().front().chat_template;
    run.policy.save((fs::path(config.run.output_dir) / "final").string(), model::chat_template_of(chat));
  });
  write_event(run, "ended", "all stages are done");
  close(run, false);
  return 0;
}

}  // namespace rl
