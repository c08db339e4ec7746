#include "tests/rl/mistakes/small_run.h"

#include <filesystem>
#include <fstream>

#include "kernels/error.h"
#include "rl/advantage/step_advantages.h"
#include "rl/advantage/training_groups.h"
#include "rollout/engine.h"

namespace testing {
namespace {

const char* const kConfig = R"(
run.steps = 1
reward = [{name = "exact"}]
[model]
init = "random"
init_std = 0.3
layers = 2
width = 32
attention = "mla"
heads = 2
latent_rank = 16
nope_size = 8
rope_size = 8
value_size = 8
experts = 4
active_experts = 2
expert_width = 32
shared_experts = 1
router = "sigmoid"
max_positions = 64
alphabet = "0123456789+=;"
special_tokens = ["<eos>"]
eos_token = "<eos>"
[data]
train = "generator:arithmetic"
max_prompt_tokens = 16
[template]
style = "plain"
[rollout]
prompts_per_step = 2
samples_per_prompt = 4
max_new_tokens = 24
temperature = 0.7
)";

}  // namespace

rl::Config small_config(const std::string& extra, const std::vector<std::string>& overrides) {
  const std::string file = (std::filesystem::temp_directory_path() / "ponder_small_run.toml").string();
  std::ofstream(file) << kConfig << extra;
  return rl::read_config(file, overrides);
}

std::string small_config_error(const std::string& extra) {
  try {
    small_config(extra);
  } catch (const kernels::UsageError& error) {
    return error.what();
  }
  return "";
}

SmallRun::SmallRun(const std::vector<std::string>& overrides)
    : config(small_config("", overrides)), policy(config.model, 3, true) {
  rollout::EngineConfig engine_config;
  engine_config.cache_bytes = 4 << 20;
  engine_config.record_routes = stage().moe.replay == "rollout";
  rollout::Engine engine(policy.config(), policy.dtype(), engine_config, policy.shared_tokenizer());
  engine.publish(policy.weights());
  rl::Collector collector(engine, rl::make_scorer(stage().rewards), policy.shared_tokenizer(), stage().chat_template, policy.stop_tokens());
  const auto data = rl::open_dataset(stage().data, 3);
  const auto& rollout = stage().rollout;
  rl::Ask ask;
  ask.samples = rollout.samples_per_prompt, ask.max_new_tokens = rollout.max_new_tokens, ask.seed = 3;
  ask.sampling = {rollout.temperature, rollout.top_k, rollout.top_p, rollout.min_p, stage().correction.truncation == "keep_mask"};
  groups = collector.run(std::vector<rl::Problem>{data->problem(0), data->problem(1)}, ask);
}

std::vector<rl::TrainGroup> SmallRun::training() const {
  auto out = rl::training_groups(groups, stage()).groups;
  for (auto& g : out)
    for (size_t i = 0; i < g.sequences.size(); ++i) g.sequences[i].reward = static_cast<double>(i);
  rl::assign_advantages(out, stage().advantage, {}, {});
  rl::weigh_tokens(out, stage().loss);
  return out;
}

}  // namespace testing
