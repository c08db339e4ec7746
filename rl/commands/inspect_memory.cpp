#include "rl/commands/inspect_memory.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "rl/memory_plan.h"

namespace rl {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t mebibyte = 1024 * 1024;

struct Setting {
  int64_t prompts = 8, samples = 8, prompt_tokens = 512, new_tokens = 256;
  std::string checkpointing = "off";
  int64_t budget = INT64_MAX / 2 / mebibyte * mebibyte;
};

MemoryPlan plan_of(const model::ModelConfig& sizes, const Setting& setting) {
  Config config;
  config.run.memory_mb = setting.budget / mebibyte;
  config.model.init = "random";  // the sizes are given, whatever folder they came from
  config.model.sizes = sizes;
  config.model.activation_checkpointing = setting.checkpointing;
  StageConfig stage;
  stage.name = "grpo";
  stage.data.max_prompt_tokens = setting.prompt_tokens;
  stage.rollout.prompts_per_step = setting.prompts;
  stage.rollout.samples_per_prompt = setting.samples;
  stage.rollout.max_new_tokens = setting.new_tokens;
  config.stages = {stage};
  return plan_memory(config);
}

// A prompt and a completion that the model's positions hold.
void fit(const model::ModelConfig& sizes, Setting& setting) {
  setting.prompt_tokens = std::min(setting.prompt_tokens, std::max<int64_t>(1, sizes.max_positions / 2));
  setting.new_tokens = std::min(setting.new_tokens, sizes.max_positions - setting.prompt_tokens);
}

Json training_row(const model::ModelConfig& sizes, Setting setting, int64_t budget) {
  const MemoryPlan all = plan_of(sizes, setting);
  setting.checkpointing = "block";
  setting.budget = mebibyte;
  const MemoryPlan few = plan_of(sizes, setting);
  const int64_t least = few.fixed() + std::max(few.activations, few.sampling + few.sequence_tokens * few.cache_bytes_per_token);
  return {{"prompts", setting.prompts},
          {"samples", setting.samples},
          {"prompt_tokens", setting.prompt_tokens},
          {"new_tokens", setting.new_tokens},
          {"weights_and_optimizer", all.fixed()},
          {"sampling", all.cache + all.sampling},
          {"activations", all.activations},
          {"total", all.total()},
          {"least", least},
          {"fits", least <= budget}};
}

Json serving_row(const model::ModelConfig& sizes, Setting setting, int64_t budget) {
  const MemoryPlan plan = plan_of(sizes, setting);
  const int64_t cache = plan.wanted_cache_tokens * plan.cache_bytes_per_token, weights = plan.program + plan.weights;
  const int64_t total = weights + cache + plan.sampling;
  return {{"sequences", setting.samples},
          {"tokens", setting.prompt_tokens + setting.new_tokens},
          {"weights", weights},
          {"cache", cache},
          {"batches", plan.sampling},
          {"total", total},
          {"fits", total <= budget}};
}

}  // namespace

Json memory_of(const model::ModelConfig& sizes, int64_t budget) {
  Json training = Json::array(), serving = Json::array();
  int64_t before = 0;
  for (const int64_t new_tokens : {512, 2048, 8192}) {
    Setting setting{.new_tokens = new_tokens};
    fit(sizes, setting);
    if (setting.new_tokens == before) continue;  // a short model: the longer settings are the same
    before = setting.new_tokens;
    training.push_back(training_row(sizes, setting, budget));
  }
  for (const int64_t sequences : {1, 16, 64}) {
    Setting setting{.prompts = 1, .samples = sequences, .prompt_tokens = 2048, .new_tokens = 2048};
    fit(sizes, setting);
    serving.push_back(serving_row(sizes, setting, budget));
  }
  return {{"budget", budget}, {"training", training}, {"serving", serving}};
}

}  // namespace rl
