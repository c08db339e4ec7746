#include "rl/memory_plan.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "kernels/error.h"
#include "model/checkpoint_folder.h"
#include "model/parameter_store.h"
#include "model/transformer.h"

namespace rl {
namespace {

constexpr int64_t mebibyte = 1024 * 1024;
constexpr int64_t program_bytes = 200 * mebibyte;  // LibTorch's libraries, tokenizer, data, allocator slack

int64_t limit_of_control_group() {
  for (const char* file : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    int64_t limit = 0;
    if (std::ifstream(file) >> limit) return limit;
  }
  return INT64_MAX;
}

int64_t tokens_of_sequence(const StageConfig& stage) {
  const int64_t completion =
      stage.kind == "sft" ? stage.rollout.max_new_tokens : std::max(stage.rollout.max_new_tokens, stage.eval.max_new_tokens);
  return stage.data.max_prompt_tokens + completion;
}

// Rows of the largest micro-batch: it holds whole groups, so one group may pass the limit.
int64_t rows_of_microbatch(const StageConfig& stage) {
  const int64_t samples = stage.kind == "sft" ? 1 : stage.rollout.samples_per_prompt;
  const int64_t group = stage.data.max_prompt_tokens + samples * stage.rollout.max_new_tokens;
  const int64_t groups = stage.kind == "sft" ? stage.sequences_per_step : stage.rollout.prompts_per_step;
  return std::max(group, std::min(group * groups, stage.optimizer.max_tokens_per_microbatch));
}

// Sequences that may run at once; a group shares its prompt's rows.
int64_t rows_of_cache(const StageConfig& stage) {
  const int64_t training = stage.kind == "sft" ? 0 : stage.rollout.prompts_per_step * stage.rollout.samples_per_prompt;
  const int64_t evaluation = stage.data.eval.empty() ? 0 : stage.data.eval_problems * stage.eval.samples;
  return std::min(stage.rollout.max_sequences, std::max(training, evaluation)) * tokens_of_sequence(stage);
}

void plan_stage(const Config& config, const StageConfig& stage, const model::ModelConfig& sizes, MemoryPlan& plan) {
  const kernels::Dtype dtype = config.model.compute_dtype;
  plan.stage = stage.name;
  plan.reference = stage.kl.coef > 0 ? plan.weights : 0;
  plan.cache_bytes_per_token = model::key_storage_bytes_per_row(sizes, dtype);
  plan.wanted_cache_tokens = rows_of_cache(stage);
  plan.microbatch_rows = rows_of_microbatch(stage);

  const int64_t left = plan.budget - plan.fixed();
  const auto activations = [&](bool recompute) {
    return plan.microbatch_rows * model::activation_bytes_per_row(sizes, dtype, recompute);
  };
  const std::string& setting = config.model.activation_checkpointing;
  plan.recompute = setting == "block" || (setting == "auto" && activations(false) > left);
  plan.activation_bytes_per_row = model::activation_bytes_per_row(sizes, dtype, plan.recompute);
  plan.activations = activations(plan.recompute);

  const int64_t wanted = plan.wanted_cache_tokens * plan.cache_bytes_per_token;
  plan.cache = stage.rollout.cache_mb > 0 ? stage.rollout.cache_mb * mebibyte : std::min(wanted, std::max<int64_t>(left, 0));
  plan.cache_tokens = plan.cache_bytes_per_token > 0 ? plan.cache / plan.cache_bytes_per_token : 0;

  const auto mb = [](int64_t bytes) { return (bytes + mebibyte - 1) / mebibyte; };
  const int64_t one_sequence = tokens_of_sequence(stage) * plan.cache_bytes_per_token;
  if (left <= 0 || plan.fixed() + std::max(plan.activations, one_sequence) > plan.budget) {
    const std::string cure = left <= 0                          ? "take a smaller model"
                             : plan.activations <= one_sequence ? "lower rollout.max_new_tokens"
                             : !plan.recompute                  ? "set model.activation_checkpointing = \"block\""
                             : plan.microbatch_rows > tokens_of_sequence(stage)
                                 ? "lower optimizer.max_tokens_per_microbatch or rollout.samples_per_prompt"
                                 : "lower rollout.max_new_tokens";
    const int64_t need = mb(plan.fixed() + std::max(plan.activations, one_sequence));
    plan.error = fmt::format(
        "run.memory_mb: is {}{}, but stage {} needs {} MB: {} for weights and optimizer, {} for a micro-batch of {} rows. "
        "Raise it to {}, or {}.",
        mb(plan.budget), config.run.memory_mb > 0 ? "" : " (80 % of this machine)", stage.name, need, mb(plan.fixed()),
        mb(plan.activations), plan.microbatch_rows, need, cure);
  } else if (plan.fixed() + plan.cache > plan.budget) {
    plan.error = fmt::format(
        "rollout.cache_mb: is {}, but {} MB are left of run.memory_mb = {}. Lower it, or set 0 to take what is left.",
        mb(plan.cache), left / mebibyte, mb(plan.budget));
  }
}

}  // namespace

int64_t machine_memory_bytes() {
  const int64_t physical = static_cast<int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
  return std::min(physical, limit_of_control_group());
}

model::ModelConfig model_sizes(const Config& config) {
  if (config.model.init == "random") {
    model::check(config.model.sizes);
    return config.model.sizes;
  }
  return model::read_config(config.model.path);
}

MemoryPlan plan_memory(const Config& config) {
  const model::ModelConfig sizes = model_sizes(config);
  MemoryPlan plan;
  plan.budget = config.run.memory_mb > 0 ? config.run.memory_mb * mebibyte : machine_memory_bytes() / 5 * 4;
  plan.program = program_bytes;
  for (const auto& parameter : model::list_parameters(sizes)) {
    plan.parameters += parameter.size;
    plan.weights += parameter.size * (parameter.compute_float32 ? 4 : kernels::bytes_of(config.model.compute_dtype));
  }
  plan.master = 4 * plan.parameters;
  plan.gradient = 4 * plan.parameters;
  plan.moments = 8 * plan.parameters;

  MemoryPlan largest;
  for (const auto& stage : config.stages) {
    MemoryPlan own = plan;
    plan_stage(config, stage, sizes, own);
    const bool worse = own.error.empty() == largest.error.empty() ? own.total() > largest.total() : largest.error.empty();
    if (largest.stage.empty() || worse) largest = own;
  }
  return largest;
}

std::string memory_table(const MemoryPlan& plan) {
  const auto row = [](const char* label, int64_t bytes, const std::string& note) {
    return bytes == 0 ? std::string()
                      : fmt::format("  {:<22}{:>9.1f} MB  {}\n", label, static_cast<double>(bytes) / mebibyte, note);
  };
  std::string out =
      fmt::format("memory, stage {} ({:.2f}M parameters)\n", plan.stage, static_cast<double>(plan.parameters) / 1e6);
  out += row("program", plan.program, "libraries, data, buffers");
  out += row("weights", plan.weights, "what the kernels read");
  out += row("reference weights", plan.reference, "");
  out += row("master weights", plan.master, "float32");
  out += row("gradient", plan.gradient, "float32");
  out += row("optimizer moments", plan.moments, "float32, two");
  out += row(
      "cache, sampling", plan.cache,
      fmt::format("{} of {} tokens, {} bytes each", plan.cache_tokens, plan.wanted_cache_tokens, plan.cache_bytes_per_token));
  out += row("activations, training", plan.activations,
             fmt::format("{} rows, {} bytes each{}", plan.microbatch_rows, plan.activation_bytes_per_row,
                         plan.recompute ? ", blocks run again in backward" : ""));
  out += row("at most", plan.total(),
             fmt::format("of {:.0f} MB; cache and activations take turns", static_cast<double>(plan.budget) / mebibyte));
  return out;
}

}  // namespace rl
