#include "rl/memory_plan.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "kernels/error.h"
#include "kernels/file_memory.h"
#include "kernels/thread_pool.h"
#include "model/files/checkpoint_folder.h"
#include "model/parameter_store.h"
#include "model/transformer.h"
#include "rollout/engine.h"
#include "rollout/page_pool.h"
#include "rollout/route_pages.h"

namespace rl {
namespace {

constexpr int64_t mebibyte = 1024 * 1024;
constexpr int64_t program_bytes = 160 * mebibyte;  // LibTorch's libraries, tokenizer, data, allocator slack
constexpr int64_t fewest_rows = 1024;              // of a micro-batch that is cut for memory: products stay efficient

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
  return stage.max_prompt_tokens() + completion;
}

int64_t rows_of_group(const StageConfig& stage) {
  if (stage.kind == "sft" && stage.sft.max_tokens > 0) return stage.sft.max_tokens;
  const int64_t samples = stage.kind == "sft" ? 1 : stage.rollout.samples_per_prompt;
  return stage.max_prompt_tokens() + samples * stage.rollout.max_new_tokens;
}

int64_t rows_of_step(const StageConfig& stage) {
  return rows_of_group(stage) * (stage.kind == "sft" ? stage.sequences_per_step : stage.rollout.prompts_per_step);
}

// Rows of the largest micro-batch: it holds whole groups, so one group may pass the limit.
int64_t rows_of_microbatch(const StageConfig& stage) {
  return std::max(rows_of_group(stage), std::min(rows_of_step(stage), stage.optimizer.max_tokens_per_microbatch));
}

int64_t rounded_to_pages(int64_t tokens) { return rollout::pages_for(tokens) * rollout::page_rows; }

// All sequences that may run at once, at full length. A group shares its prompt's pages, so this is an upper bound.
int64_t rows_of_cache(const StageConfig& stage) {
  const int64_t training = stage.kind == "sft" ? 0 : stage.rollout.asked_prompts() * stage.rollout.samples_per_prompt;
  const int64_t evaluation = stage.eval_problems() * stage.eval.samples;
  return std::min(stage.rollout.max_sequences, std::max(training, evaluation)) * rounded_to_pages(tokens_of_sequence(stage));
}

// Rows of the largest batch while sampling: all prompts at once, each computed once for its group.
int64_t rows_of_prefill(const StageConfig& stage) {
  const int64_t training = stage.kind == "sft" ? 0 : stage.rollout.prompts_per_step;
  const int64_t evaluation = stage.eval_problems();
  const int64_t prompts = std::min(stage.rollout.max_sequences, std::max(training, evaluation));
  return std::min(stage.rollout.max_tokens_per_batch, prompts * stage.max_prompt_tokens());
}

// The run's plan serves every stage: the most that any of them asks for.
void gather(const StageConfig& stage, MemoryPlan& plan) {
  // Versions of a LoRA run share the base: each is an adapter more.
  const int64_t version = plan.adapter > 0 ? plan.adapter : plan.weights;
  if (stage.kind == "grpo" && stage.kl.coef > 0) plan.reference = 4 * plan.trained + version;
  if (stage.kind == "grpo" && stage.rollout.max_staleness_steps > 0) {
    plan.together = true;
    plan.stale = std::max(plan.stale, stage.rollout.max_staleness_steps * version);
  }
  plan.sequence_tokens = std::max(plan.sequence_tokens, rounded_to_pages(tokens_of_sequence(stage)));
  // Fine-tuning without evaluation samples nothing; the engine still takes room for one sequence.
  plan.wanted_cache_tokens = std::max({plan.wanted_cache_tokens, rows_of_cache(stage), plan.sequence_tokens});
  plan.step_rows = std::max(plan.step_rows, rows_of_step(stage));
  plan.group_rows = std::max(plan.group_rows, rows_of_group(stage));
  plan.sampled_rows = std::max(plan.sampled_rows, rows_of_prefill(stage));
  if (rows_of_microbatch(stage) <= plan.microbatch_rows) return;
  plan.microbatch_rows = rows_of_microbatch(stage);
  plan.stage = stage.name;
}

// The adapter's packed pairs, in panels of 64 outputs, beside the base's.
void plan_adapter(const Config& config, const model::ModelConfig& sizes, MemoryPlan& plan) {
  const auto pairs = model::adapter_parameters(sizes, config.model.lora);
  plan.trained = pairs.size();
  for (const auto& p : pairs.parameters()) {
    const int64_t out = p.shape[p.shape.size() - 2];
    plan.adapter += p.size / out * ((out + 63) / 64 * 64) * kernels::bytes_of(config.model.compute_dtype);
  }
  plan.weights += plan.adapter;
}

// rollout.cache_mb in bytes; 0: none is asked for.
int64_t asked_cache(const Config& config) {
  int64_t asked = 0;
  for (const auto& stage : config.stages) asked = std::max(asked, stage.rollout.cache_mb * mebibyte);
  return asked;
}

int64_t cache_wanted(const Config& config, const MemoryPlan& plan) {
  const int64_t tokens = std::max(plan.wanted_cache_tokens, plan.sequence_tokens);  // none is wanted where nothing is sampled
  return asked_cache(config) > 0 ? asked_cache(config) : tokens * plan.cache_bytes_per_token;
}

void plan_sampling(const Config& config, const model::ModelConfig& sizes, MemoryPlan& plan) {
  plan.cache_bytes_per_token = model::key_storage_bytes_per_row(sizes, config.model.compute_dtype);
  if (std::any_of(config.stages.begin(), config.stages.end(), [](const StageConfig& s) { return s.kind == "grpo" && s.moe.replay == "rollout"; }))
    plan.cache_bytes_per_token += rollout::RoutePages::bytes_per_row(sizes);
  // Beside the cache: the rows of one batch, and as many logits as the engine makes at a time.
  plan.sampling = plan.sampled_rows * model::block_bytes_per_row(sizes, config.model.compute_dtype) +
                  std::min(rollout::EngineConfig().logits_bytes, std::max<int64_t>(plan.sampled_rows, 1) * sizes.vocab_size * 4);
}

void plan_activations(const Config& config, const model::ModelConfig& sizes, MemoryPlan& plan) {
  const kernels::Dtype dtype = config.model.compute_dtype;
  const std::string& setting = config.model.activation_checkpointing;
  int64_t left = plan.budget - plan.fixed();
  // Beside a rollout: what its cache does not want, or half of what there is.
  if (plan.together) left = std::max(left / 2, left - plan.sampling - cache_wanted(config, plan));
  const bool keeps = std::any_of(config.stages.begin(), config.stages.end(), [](const StageConfig& s) { return s.correction.truncation != "off"; });
  const int64_t kept_ids = keeps ? sizes.vocab_size / 8 : 0;  // of a row, at most: see kernels::KeptIds
  const auto bytes = [&](int64_t rows, int64_t blocks) {
    return rows * (model::activation_bytes_per_row(sizes, dtype, blocks) + kept_ids) + model::head_chunk_bytes(sizes, dtype, rows);
  };
  plan.layers = sizes.layers;
  if (setting == "block") plan.recomputed_blocks = sizes.layers;
  // Short of memory, smaller micro-batches come first: they change no bit and cost next to nothing until few rows are
  // left. Then as few blocks as possible run again: each costs its forward pass.
  const int64_t fewest = std::min(plan.microbatch_rows, std::max(plan.group_rows, fewest_rows));
  while (bytes(plan.microbatch_rows, plan.recomputed_blocks) > left && plan.microbatch_rows > fewest)
    plan.microbatch_rows = std::max(fewest, plan.microbatch_rows - 64);
  while (setting == "auto" && plan.recomputed_blocks < sizes.layers && bytes(plan.microbatch_rows, plan.recomputed_blocks) > left)
    ++plan.recomputed_blocks;
  plan.activations = bytes(plan.microbatch_rows, plan.recomputed_blocks);
  plan.activation_bytes_per_row = model::activation_bytes_per_row(sizes, dtype, plan.recomputed_blocks) + kept_ids;
}

void plan_cache(const Config& config, MemoryPlan& plan) {
  const int64_t beside = plan.together ? plan.activations : 0;
  const int64_t left = std::max<int64_t>(plan.budget - plan.fixed() - plan.sampling - beside, 0), wanted = cache_wanted(config, plan);
  plan.cache = asked_cache(config) > 0 ? wanted : std::min(wanted, left);
  plan.cache_tokens = plan.cache / plan.cache_bytes_per_token;
}

int64_t in_mb(int64_t bytes) { return (bytes + mebibyte - 1) / mebibyte; }

int64_t window_of(const Config& config) { return kernels::file_memory_window(kernels::threads_of(config.run.threads)); }

// Bytes that model.offload_folder would take out of memory.
int64_t saved_by_offloading(const Config& config, const MemoryPlan& plan) {
  return std::max<int64_t>(0, plan.master + plan.moments - window_of(config));
}

// Empty, or what does not fit.
std::string misfit(const Config& config, const MemoryPlan& plan) {
  const int64_t one_sequence = plan.sequence_tokens * plan.cache_bytes_per_token;
  const int64_t need = plan.fixed() + plan.most_of(plan.sampling + one_sequence, plan.activations);
  if (need > plan.budget) {
    const std::string cure = plan.together                       ? "lower rollout.max_staleness_steps (0: sampling and training take turns)"
                             : plan.fixed() >= plan.budget      ? "take a smaller model"
                             : plan.activations <= one_sequence ? "lower rollout.max_new_tokens"
                             : plan.recomputed_blocks == 0      ? "set model.activation_checkpointing = \"block\""
                                               : "lower optimizer.max_tokens_per_microbatch or rollout.samples_per_prompt";
    return fmt::format(
        "run.memory_mb: is {}{}, but stage {} needs {} MB: {} for the program, weights and optimizer, {} for a micro-batch of "
        "{} "
        "rows. Raise it to {}, or {}{}.",
        in_mb(plan.budget), config.run.memory_mb > 0 ? "" : " (80 % of this machine)", plan.stage, in_mb(need),
        in_mb(plan.fixed()), in_mb(plan.activations), plan.microbatch_rows, in_mb(need),
        need - saved_by_offloading(config, plan) <= plan.budget ? "set model.offload_folder, or " : "", cure);
  }
  if (plan.cache < one_sequence)
    return fmt::format(
        "rollout.cache_mb: is {}, but one sequence of {} tokens needs {} MB. Raise it, or set 0 to take what is left.",
        in_mb(plan.cache), plan.sequence_tokens, in_mb(one_sequence));
  const int64_t beside = plan.fixed() + plan.sampling + (plan.together ? plan.activations : 0);
  if (beside + plan.cache > plan.budget)
    return fmt::format(
        "rollout.cache_mb: is {}, but {} MB are left of run.memory_mb = {}. Lower it, or set 0 to take what is left.",
        in_mb(plan.cache), (plan.budget - beside) / mebibyte, in_mb(plan.budget));
  return "";
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
    const bool wide = parameter.compute_float32 || parameter.shape.size() == 1;  // norms and biases are held in float32
    plan.weights += parameter.size * (wide ? 4 : kernels::bytes_of(config.model.compute_dtype));
  }
  plan.trained = plan.parameters;
  if (config.model.lora.on()) plan_adapter(config, sizes, plan);
  if (config.model.offload_folder.empty()) plan.master = 4 * plan.trained, plan.moments = 8 * plan.trained;
  else plan.offloaded = 12 * plan.trained, plan.window = std::min(plan.offloaded, window_of(config));
  for (const auto& stage : config.stages) gather(stage, plan);
  // A tied matrix has a second gradient, of the rows that the step's tokens name, until the step adds it.
  const bool twice = sizes.tied_embedding && plan.adapter == 0;
  plan.gradient = 4 * (plan.trained + (twice ? std::min(sizes.vocab_size, plan.step_rows) * sizes.width : 0));
  plan_sampling(config, sizes, plan);
  plan_activations(config, sizes, plan);
  plan_cache(config, plan);
  plan.error = misfit(config, plan);
  return plan;
}

std::string memory_table(const MemoryPlan& plan) {
  const auto row = [](const char* label, int64_t bytes, const std::string& note) {
    return bytes == 0 ? std::string()
                      : fmt::format("  {:<22}{:>9.1f} MB  {}\n", label, static_cast<double>(bytes) / mebibyte, note);
  };
  std::string out =
      fmt::format("memory, stage {} ({:.2f}M parameters{})\n", plan.stage, static_cast<double>(plan.parameters) / 1e6,
                  plan.adapter == 0 ? "" : fmt::format(", {:.2f}M of a LoRA adapter are trained", static_cast<double>(plan.trained) / 1e6));
  out += row("program", plan.program, "libraries, data, buffers");
  out += row("weights", plan.weights, "what the kernels read");
  out += row("older weights", plan.stale, "of the steps that rollout.max_staleness_steps goes back");
  out += row("reference policy", plan.reference,
             plan.adapter > 0 ? "an adapter; the weights are the policy's" : "weights and float32 masters");
  out += row("master weights", plan.master, plan.adapter > 0 ? "float32, the adapter's" : "float32");
  out += row("gradient", plan.gradient, "float32");
  out += row("optimizer moments", plan.moments, "float32, two");
  out += row("masters and moments", plan.window,
             fmt::format("at a time, of {:.1f} MB of float32 in files in model.offload_folder", static_cast<double>(plan.offloaded) / mebibyte));
  out += row(
      "cache, sampling", plan.cache,
      fmt::format("{} of {} tokens, {} bytes each", plan.cache_tokens, plan.wanted_cache_tokens, plan.cache_bytes_per_token));
  out += row("batches, sampling", plan.sampling, "rows of one batch, and logits");
  out += row("activations, training", plan.activations,
             fmt::format("{} rows, {} bytes each, and one chunk of logits{}", plan.microbatch_rows, plan.activation_bytes_per_row,
                         plan.recomputed_blocks > 0
                             ? fmt::format(", {} of {} blocks run again in backward", plan.recomputed_blocks, plan.layers)
                             : ""));
  out += row("at most", plan.total(),
             fmt::format("of {:.0f} MB; cache and activations {}", static_cast<double>(plan.budget) / mebibyte,
                         plan.together ? "side by side" : "take turns"));
  return out;
}

}  // namespace rl
