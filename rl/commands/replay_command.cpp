// `ponder replay`: trains one step of a run again from its samples, as it was or with another loss.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "kernels/error.h"
#include "kernels/file_memory.h"
#include "kernels/thread_pool.h"
#include "model/files/safetensors.h"
#include "rl/advantage/step_advantages.h"
#include "rl/advantage/training_groups.h"
#include "rl/commands/commands.h"
#include "rl/reference.h"
#include "rl/reward_metrics.h"
#include "rl/rollouts/replay_start.h"
#include "rl/rollouts/scored_groups.h"
#include "rl/run.h"
#include "rl/signals.h"
#include "rl/sampling/staleness.h"
#include "rl/state_log.h"
#include "rl/step_metrics.h"
#include "rl/update.h"

namespace rl {
namespace {

namespace fs = std::filesystem;

// What is decided when the samples are made, and so cannot be another thing afterwards.
void check_overrides(const std::vector<std::string>& overrides) {
  const char* allowed[] = {"advantage", "loss", "kl", "correction", "moe", "optimizer", "filter"};
  for (const auto& text : overrides) {
    const std::string key = text.substr(0, text.find('='));
    const bool machine = key == "run.threads" || key == "run.pin_threads" || key == "run.memory_mb" || key == "model.offload_folder";
    const bool known = std::any_of(std::begin(allowed), std::end(allowed), [&](const std::string& s) { return key.rfind(s + ".", 0) == 0; });
    if (key == "correction.truncation" || (!machine && !known))
      kernels::fail_usage("--set {}: the samples were made already. ponder replay takes settings of [{}], without the stage's name, and "
                          "run.threads, run.pin_threads, run.memory_mb and model.offload_folder.{}",
                          key, fmt::join(allowed, "], ["),
                          key == "correction.truncation" ? " Whether log-probabilities are over kept ids stands in the samples." : "");
  }
}

// Settings of the sections above go to the step's stage alone: another stage may not allow them.
Config config_of(const std::string& run, const std::string& stage, const std::vector<std::string>& overrides) {
  std::vector<std::string> all = {"model.offload_folder="};  // the file's is of the machine that trained; it changes no bit
  for (const auto& text : overrides)
    all.push_back(text.rfind("run.", 0) == 0 || text.rfind("model.", 0) == 0 ? text : "stage." + stage + "." + text);
  return read_config((fs::path(run) / "config.toml").string(), all);
}

int64_t stage_index(const Config& config, const std::string& name) {
  for (size_t i = 0; i < config.stages.size(); ++i)
    if (config.stages[i].name == name) return static_cast<int64_t>(i);
  kernels::fail_usage("{}: has no stage {}; its samples are of other settings.", config.file, name);
}

std::string replayable_steps(const std::vector<DumpedStep>& steps, const std::vector<CheckpointPlace>& places, const Config& config) {
  std::string out;
  for (const DumpedStep& s : steps)
    if (replay_start(places, stage_index(config, s.stage), s.step))
      out += fmt::format("{}{} {}", out.empty() ? "" : ", ", s.stage, s.step);
  return out.empty() ? "none" : out;
}

ReplayStart start_of(const ReplayOptions& options, const Config& config, const DumpedStep& step) {
  const auto places = checkpoint_places(options.run);
  if (const auto start = replay_start(places, stage_index(config, step.stage), step.step)) return *start;
  kernels::fail_usage("{}: no checkpoint has the weights before {} step {}. Steps that can be replayed: {}. A run keeps more with "
                      "checkpoint.every_steps = 1 and a larger checkpoint.keep_last.",
                      options.run, step.stage, step.step, replayable_steps(dumped_steps(options.run), places, config));
}

Run make_run(const Config& config, const ReplayStart& start, int64_t stage) {
  MemoryPlan plan = plan_memory(config);
  if (!plan.error.empty()) kernels::fail_usage("{}", plan.error);
  Run run{.config = config, .plan = plan, .policy = Policy(config.model, static_cast<uint64_t>(config.run.seed), true), .engine = {},
          .metrics = {}, .state = {}, .reference_master = {}, .reference = {}};
  if (!start.checkpoint.empty()) run.state = load_checkpoint(start.checkpoint, run.policy, &run.reference_master);
  if (!start.begins_stage) return run;
  run.state.stage = stage;
  begin_stage(run, config.stages.at(static_cast<size_t>(stage)));
  return run;
}

// The training half of a GRPO step.
Metrics train_again(Run& run, const StageConfig& stage, const std::vector<Group>& groups, int64_t step) {
  StepTimes unused;
  const int64_t version = run.policy.version();
  keep_reference(run, stage);
  TrainingGroups training = training_groups(groups, stage);
  CorrectionSums correction;
  score_groups(run, stage, training.groups, correction, unused);
  assign_advantages(training.groups, stage.advantage, stage.kl, training.part_weights);
  Updates done;
  update_policy(run, stage, training.groups, step, steps_of(run.config, stage), unused, done);
  done.correction = correction;
  refresh_reference(run, stage, step);
  Metrics metrics = reward_metrics(groups, stage);
  std::erase_if(metrics, [](const auto& m) { return m.first.rfind("rewards/", 0) == 0; });  // why a part failed is not in the dump
  append_staleness(metrics, training.groups, version);
  append_length_metrics(metrics, groups);
  if (done.count > 0) {
    append_loss_metrics(metrics, done, stage);
    append_update_metrics(metrics, done.all, stage);
  }
  metrics.emplace_back("num_tokens", static_cast<double>(run.state.trained_tokens) + done.all.sums.tokens);
  metrics.emplace_back("step_tokens", done.all.sums.tokens);
  metrics.emplace_back("groups_dropped", static_cast<double>(training.dropped));
  return metrics;
}

std::map<std::string, double> logged_metrics(const std::string& run, const DumpedStep& step) {
  std::map<std::string, double> logged;
  for (const MetricsLine& line : read_metrics((fs::path(run) / "metrics.jsonl").string()))
    if (line.stage == step.stage && line.step == step.step)
      for (const auto& [name, value] : line.values) logged[name] = value;
  return logged;
}

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

void print_metrics(const Metrics& metrics, const std::map<std::string, double>& logged) {
  fmt::print("  {:<44} {:>16} {:>16}\n", "metric", "logged", "replayed");
  int64_t equal = 0;
  for (const auto& [name, value] : metrics) {
    const auto before = logged.find(name);
    const bool is_equal = before != logged.end() && same(before->second, value);
    equal += is_equal;
    fmt::print("  {:<44} {:>16} {:>16}  {}\n", name, before == logged.end() ? "-" : fmt::format("{:.8g}", before->second),
               fmt::format("{:.8g}", value), is_equal ? "equal" : before == logged.end() ? "" : fmt::format("{:+.3g}", value - before->second));
  }
  fmt::print("{} of {} metrics are equal\n", equal, metrics.size());
}

// True: the weights and moments after the step are those of the run.
bool print_state(const StateHash& state, const std::string& run) {
  const auto states = read_states((fs::path(run) / "states.jsonl").string());
  const auto found = std::find_if(states.rbegin(), states.rend(), [&](const auto& s) { return s.stage == state.stage && s.step == state.step; });
  if (found == states.rend()) {
    fmt::print("state {} after the step; the run logged none (log.state_hash)\n", state.all);
    return true;
  }
  if (found->all == state.all) {
    fmt::print("state {} after the step: equal to the run's, bit for bit\n", state.all);
    return true;
  }
  std::vector<std::string> differ;
  for (size_t i = 0; i < std::min(found->parts.size(), state.parts.size()); ++i)
    if (found->parts[i] != state.parts[i]) differ.push_back(state.parts[i].first);
  fmt::print("state {} after the step; the run's is {}: {} of {} tensors differ{}{}\n", state.all, found->all, differ.size(),
             state.parts.size(), differ.empty() ? "" : ", the first of them ", differ.empty() ? "" : differ[0]);
  return false;
}

}  // namespace

int run_replay(const ReplayOptions& options) {
  install_signal_handlers();
  check_overrides(options.overrides);
  const DumpedStep step = find_step(options.run, options.stage, options.step);
  Config config = config_of(options.run, step.stage, options.overrides);
  const int64_t index = stage_index(config, step.stage);
  const ReplayStart start = start_of(options, config, step);
  // The model of a run may have moved; what the checkpoint holds is enough. An adapter stands on its base.
  const bool whole_model = config.model.init != "random" && !config.model.lora.on();
  if (whole_model && !start.checkpoint.empty()) config.model.path = start.checkpoint;
  kernels::set_threads(config.run.threads, config.run.pin_threads);
  const auto groups = read_groups(step);
  Run run = make_run(config, start, index);
  const StageConfig& stage = config.stages[static_cast<size_t>(index)];
  const bool new_reference = stage.kl.coef != 0 && !run.reference_master.defined() && !start.begins_stage;

  fmt::print("{} step {}, {} groups, from {}\n", step.stage, step.step, groups.size(),
             start.checkpoint.empty() ? "the model as the run began" : start.checkpoint);
  if (!options.overrides.empty()) fmt::print("changed: {}\n", fmt::join(options.overrides, ", "));
  if (new_reference) fmt::print("the run kept no reference policy: the weights before this step stand for it\n");
  const Metrics metrics = train_again(run, stage, groups, step.step - 1);
  kernels::sync_file_memory();
  print_metrics(metrics, logged_metrics(options.run, step));
  const bool equal = print_state(hash_state(run.policy.store(), step.stage, step.step), options.run);
  return equal || !options.overrides.empty() ? 0 : 1;
}

}  // namespace rl
