#include "rl/checkpoint.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "kernels/error.h"
#include "model/files/atomic_folder.h"
#include "model/files/folder_files.h"
#include "model/files/safetensors.h"
#include "model/files/safetensors_writer.h"
#include "rl/checkpoint_folders.h"
#include "rl/config/settings_text.h"
#include "rl/data/sha256.h"
#include "rl/sampling/saved_samples.h"

namespace rl {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int64_t kFormatVersion = 4;

std::optional<Evaluation> evaluation_from(const Json& json) {
  if (!json.is_object()) return std::nullopt;
  Evaluation e;
  e.problems = json.at("problems"), e.samples = json.at("samples"), e.accuracy = json.at("accuracy");
  e.standard_error = json.at("standard_error"), e.mean_length = json.at("mean_length");
  e.no_answer_share = json.at("no_answer_share"), e.truncated_share = json.at("truncated_share");
  return e;
}

std::optional<HeldOutLoss> loss_from(const Json& json) {
  if (!json.is_object()) return std::nullopt;
  return HeldOutLoss{json.at("rows"), json.at("tokens"), json.at("loss"), json.at("perplexity"), json.at("token_accuracy")};
}

std::optional<ShownSample> sample_from(const Json& json) {
  if (!json.is_object()) return std::nullopt;
  return ShownSample{json.at("stage"), json.at("prompt"), json.at("completion"), json.at("answer"), json.at("reward"), json.at("tokens")};
}

RunState state_from(const Json& json) {
  RunState state;
  state.stage = json.at("stage"), state.step = json.at("step"), state.global_step = json.at("global_step");
  state.trained_tokens = json.at("trained_tokens"), state.seconds = json.at("seconds");
  const Json& bonus = json.at("entropy_bonus");
  state.entropy_bonus.coef = bonus.at("coef"), state.entropy_bonus.last_entropy = bonus.at("last_entropy");
  state.sampling = sampling_state_from(json.at("sampling").dump());
  const Json& summary = json.at("summary");
  for (const Json& s : summary.at("stages")) {
    StageSummary stage;
    stage.name = s.at("name"), stage.kind = s.at("kind"), stage.steps = s.at("steps"), stage.tokens = s.at("tokens");
    stage.seconds = s.at("seconds"), stage.rewards = s.at("rewards");
    stage.greedy_before = evaluation_from(s.at("greedy_before")), stage.greedy_after = evaluation_from(s.at("greedy_after"));
    stage.sampled_before = evaluation_from(s.at("sampled_before")), stage.sampled_after = evaluation_from(s.at("sampled_after"));
    stage.loss_before = loss_from(s.at("loss_before")), stage.loss_after = loss_from(s.at("loss_after"));
    stage.cost = cost_from(s.at("cost")), stage.stopped = s.at("stopped");
    state.summary.stages.push_back(std::move(stage));
  }
  if (summary.at("best").is_object()) state.summary.best = best_from(summary.at("best"));
  state.early_stop = early_stop_from(json.at("early_stop"));
  state.alarms = alarms_from(json.at("alarms")), state.reward_errors = json.at("reward_errors").get<std::deque<int64_t>>();
  state.idle_steps = json.at("idle_steps"), state.pending_evaluation = json.at("pending_evaluation");
  state.summary.before = sample_from(summary.at("sample_before"));
  state.summary.after = sample_from(summary.at("sample_after"));
  return state;
}

// Where things go, how long and how fast: they may change between a run and its continuation.
bool may_change(const std::string& key, const Config& config) {
  // How long an RL stage runs (run.steps caps it), unless the learning rate falls toward its last step.
  for (size_t i = 0; i < config.stages.size(); ++i)
    if (key == fmt::format("stage#{}.steps", i)) return config.stages[i].kind == "grpo" && config.stages[i].optimizer.schedule == "constant";
  const auto is_one_of = [&](std::initializer_list<const char*> parts) {
    return std::any_of(parts.begin(), parts.end(), [&](const char* part) { return key.find(part) != std::string::npos; });
  };
  // The engine's budgets decide which groups finish first, and so which ones an over-provisioned step takes.
  const bool budgets_matter =
      std::any_of(config.stages.begin(), config.stages.end(), [](const StageConfig& s) { return s.rollout.overprovision > 1; });
  if (is_one_of({"run#0.memory_mb", "max_tokens_per_batch", "max_sequences", "cache_mb", "prefix_cache"})) return !budgets_matter;
  return is_one_of({"run#0.threads", "run#0.pin_threads", "run#0.steps", "run#0.wait_deadline_s", "run#0.output_dir", "run#0.name", "checkpoint#", "log#", "cost#", "alarm#", "activation_checkpointing", "offload_folder",
                    "max_tokens_per_microbatch",
                    // What a user changes after a plug-in failed.
                    ".workers", "timeout_ms", ".url", ".token_file", "max_infra_error_share", "on_non_finite", "error_window_steps", "rescore_share",
                    // And after a step that found too few groups worth training on.
                    "on_exhausted", "max_refills"});
}

void copy_entry(const model::SafetensorsFile& file, const std::string& name, const at::Tensor& into) {
  const auto* entry = file.find(name);
  if (!entry) kernels::fail_usage("{}: has no tensor '{}'; the checkpoint is not whole, resume from an earlier one.", file.path(), name);
  if (entry->dtype != "F32" || entry->bytes != into.numel() * 4)
    kernels::fail_usage("{}: '{}' holds {} bytes of {}, but this model needs {} of F32; the checkpoint is of another model.", file.path(),
                        name, entry->bytes, entry->dtype, into.numel() * 4);
  file.copy(*entry, kernels::f32(into));
}

void read_samples(const std::string& file, const std::string& sha256, RunState& state) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream bytes;
  bytes << in.rdbuf();
  if (sha256_of_text(bytes.str()) != sha256)
    kernels::fail_usage("{}: its SHA-256 is not that of trainer/state.json; the checkpoint is not whole, resume from an earlier one.", file);
  state.ahead = load_samples(bytes.str(), state.sampling);
}

}  // namespace

std::string saved_chat_template(const StageConfig& stage) { return model::chat_template_of(stage.sets().front().chat_template); }

std::string save_checkpoint(const std::string& run_directory, const Policy& policy, const at::Tensor& reference, const RunState& state,
                            const Config& config, int64_t keep_last) {
  const std::string path = checkpoint_path(run_directory, state.global_step);
  // An earlier checkpoint of the same step (Ctrl-C after a step that was saved, a stage extended) stays until this one does.
  model::AtomicFolder folder(path);
  const fs::path temporary = folder.temporary();
  model::make_folder((temporary / "trainer").string());

  policy.save(temporary.string(), saved_chat_template(config.stages.at(static_cast<size_t>(state.stage))));
  const auto& store = const_cast<Policy&>(policy).store();
  std::vector<model::NamedTensor> tensors{
      {"master", store.master}, {"first_moment", store.first_moment}, {"second_moment", store.second_moment}};
  if (reference.defined()) tensors.push_back({"reference", reference});
  model::write_safetensors((temporary / "trainer" / "optimizer.safetensors").string(), tensors);
  model::write_file_atomically((temporary / "trainer" / "config.toml").string(), config_to_toml(config));
  const std::string samples = save_samples(state.ahead, state.sampling);
  if (!samples.empty()) model::write_file_atomically((temporary / "trainer" / "samples.cbor").string(), samples);
  Json json{{"format_version", kFormatVersion}, {"stage", state.stage}, {"step", state.step}, {"global_step", state.global_step},
            {"trained_tokens", state.trained_tokens}, {"seconds", state.seconds},
            {"entropy_bonus", {{"coef", state.entropy_bonus.coef}, {"last_entropy", state.entropy_bonus.last_entropy}}},
            {"early_stop", to_json(state.early_stop)}, {"alarms", to_json(state.alarms)}, {"reward_errors", state.reward_errors},
            {"idle_steps", state.idle_steps}, {"pending_evaluation", state.pending_evaluation}, {"sampling", Json::parse(to_json(state.sampling))},
            {"samples_sha256", samples.empty() ? "" : sha256_of_text(samples)}, {"policy_version", policy.version()},
            {"optimizer_steps", policy.optimizer_steps()}, {"summary", Json::parse(summary_json(state.summary))}};
  model::write_file_atomically((temporary / "trainer" / "state.json").string(), json.dump(1) + "\n");
  folder.commit();
  delete_old_checkpoints(run_directory, keep_last, path);
  return path;
}

RunState load_checkpoint(const std::string& checkpoint, Policy& policy, at::Tensor* reference) {
  const fs::path trainer = fs::path(checkpoint) / "trainer";
  std::ifstream in(trainer / "state.json");
  if (!in) kernels::fail_usage("{}: has no trainer/state.json; it is not a checkpoint of a run.", checkpoint);
  const Json json = Json::parse(in, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.value("format_version", int64_t{0}) != kFormatVersion)
    kernels::fail_usage("{}: trainer/state.json is damaged or of another version; resume from an earlier checkpoint.", checkpoint);
  try {
    RunState state = state_from(json);
    const model::SafetensorsFile file((trainer / "optimizer.safetensors").string());
    auto& store = policy.store();
    copy_entry(file, "master", store.master);
    copy_entry(file, "first_moment", store.first_moment);
    copy_entry(file, "second_moment", store.second_moment);
    if (file.find("reference")) {
      *reference = kernels::empty_f32({store.size()});
      copy_entry(file, "reference", *reference);
    }
    if (const std::string sha256 = json.at("samples_sha256"); !sha256.empty())
      read_samples((trainer / "samples.cbor").string(), sha256, state);
    policy.restore(json.at("policy_version"), json.at("optimizer_steps"));
    return state;
  } catch (const nlohmann::json::exception& e) {
    kernels::fail_usage("{}: trainer/state.json: {}; resume from an earlier checkpoint.", checkpoint, e.what());
  }
}

std::string changed_settings(const std::string& checkpoint, const Config& config) {
  std::ifstream in(fs::path(checkpoint) / "trainer" / "config.toml");
  std::stringstream text;
  text << in.rdbuf();
  const auto before = settings_of(text.str()), now = settings_of(config_to_toml(config));
  std::string changes;
  for (const auto& [key, value] : now) {
    const auto old = before.find(key);
    if (!may_change(key, config) && (old == before.end() || old->second != value))
      changes += fmt::format("  {}: was {}, is {}\n", key, old == before.end() ? "absent" : old->second, value);
  }
  for (const auto& [key, value] : before)
    if (!may_change(key, config) && now.find(key) == now.end()) changes += fmt::format("  {}: was {}, is absent\n", key, value);
  return changes;
}

}  // namespace rl
