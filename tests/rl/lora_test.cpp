// A policy that trains an adapter: what moves, what is shared, what is saved, what is planned and what is refused.
#include <cmath>
#include <filesystem>
#include <map>

#include "model/files/checkpoint_folder.h"
#include "model/lora/adapter_folder.h"
#include "rl/batch.h"
#include "rl/checkpoint.h"
#include "rl/commands/commands.h"
#include "rl/memory_plan.h"
#include "rl/policy.h"
#include "tests/rl/commands/folders.h"
#include "tests/rl/mistakes/small_run.h"
#include "tests/support/catch.h"
#include "tests/support/compare.h"

using Catch::Matchers::Contains;
using testing::Folder;

namespace {

// A model of some thousand weights in a folder, and the settings of an adapter on it.
struct Base {
  Folder folder;
  rl::ModelSettings settings;

  explicit Base(kernels::Dtype dtype = kernels::Dtype::float32) {
    rl::run_init(folder.put("sizes.toml", testing::sizes_toml("init_std = 0.2\n")), folder / "base", {});
    settings.path = folder / "base";
    settings.compute_dtype = dtype;
    settings.lora = {.rank = 4, .alpha = 8, .targets = {"q_proj", "v_proj", "down_proj"}};
  }
};

rl::StageConfig sft_stage() {
  rl::StageConfig stage;
  stage.kind = "sft";
  stage.optimizer.lr = 0.02;
  stage.optimizer.warmup_steps = 0;
  return stage;
}

std::vector<rl::TrainGroup> examples() {
  std::vector<rl::TrainGroup> groups;
  for (int64_t g = 0; g < 4; ++g) {
    rl::TrainGroup group;
    group.group_id = g;
    group.prompt = {1, static_cast<int32_t>(2 + g), 5};
    rl::TrainSequence s;
    s.tokens = {static_cast<int32_t>(3 + g), 7, 2};
    s.trained.assign(3, 1);
    group.sequences.push_back(s);
    groups.push_back(group);
  }
  rl::weigh_tokens(groups, {});
  return groups;
}

const rl::MicroBatchPlan kPlan{1 << 20, 0};

double train(rl::Policy& policy, int64_t steps) {
  const auto stage = sft_stage();
  double loss = 0;
  for (int64_t step = 0; step < steps; ++step) {
    auto update = policy.accumulate(examples(), stage, kPlan);
    loss = update.sums.loss;
    policy.apply(update, stage, step, steps);
  }
  return loss;
}

std::vector<float> logprobs(const rl::Policy& policy, const model::WeightSet& weights) {
  auto groups = examples();
  policy.score(groups, sft_stage(), kPlan, weights, &rl::TrainSequence::reference_logprobs);
  std::vector<float> all;
  for (const auto& g : groups) all.insert(all.end(), g.sequences[0].reference_logprobs.begin(), g.sequences[0].reference_logprobs.end());
  return all;
}

std::string bytes_of(const kernels::PackedWeight& w) { return {reinterpret_cast<const char*>(w.panels(0)), static_cast<size_t>(w.bytes())}; }

}  // namespace

// 2 layers x (q: 4 x 16 + 16 x 4, v: 4 x 16 + 8 x 4, down: 4 x 32 + 16 x 4) = 2 (128 + 96 + 192).
TEST_CASE("only the adapter has masters, a gradient and moments, and only it moves", "[lora]") {
  Base base;
  rl::Policy policy(base.settings, 3, true);
  CHECK(policy.store().size() == 832);
  CHECK(policy.store().first_moment.numel() == 832);
  CHECK_FALSE(policy.store().has("model.embed_tokens.weight"));
  const auto before = policy.weights_of(policy.store().master);
  const std::string query = bytes_of(before->blocks[0].query), embedding = bytes_of(before->embedding), gate = bytes_of(before->blocks[1].gate);
  const double first = train(policy, 1), last = train(policy, 40);
  CHECK(last < 0.5 * first);
  CHECK(bytes_of(policy.weights()->blocks[0].query) == query);
  CHECK(bytes_of(policy.weights()->embedding) == embedding);
  CHECK(bytes_of(policy.weights()->blocks[1].gate) == gate);
  CHECK(policy.version() == 41);
  CHECK(policy.weights()->version == 41);
  // The weights are written over, not made again.
  const auto* adapter = policy.weights()->blocks[0].adapters.query.down.panels(0);
  train(policy, 2);
  CHECK(policy.weights()->blocks[0].adapters.query.down.panels(0) == adapter);
}

TEST_CASE("the reference of a first stage is the base without adapter, with no second copy of a weight", "[lora][reference]") {
  for (const kernels::Dtype dtype : {kernels::Dtype::float32, kernels::Dtype::bf16}) {
    Base base(dtype);
    rl::Policy policy(base.settings, 3, true);
    const auto reference = policy.weights_of(policy.store().master.clone());
    CHECK_FALSE(reference->blocks[0].adapters.query.defined());
    const auto at_start = logprobs(policy, *reference);
    CHECK(logprobs(policy, *policy.weights()) == at_start);  // B is 0
    train(policy, 5);
    CHECK(logprobs(policy, *policy.weights()) != at_start);
    CHECK(logprobs(policy, *reference) == at_start);  // and it is what transformers would give for the base:
    const auto config = model::read_config(base.settings.path);
    CHECK(logprobs(policy, *model::read_packed_weights(base.settings.path, config, dtype)) == at_start);
    for (size_t i = 0; i < reference->blocks.size(); ++i)
      CHECK(reference->blocks[i].up.panels(0) == policy.weights()->blocks[i].up.panels(0));
    CHECK(reference->embedding.panels(0) == policy.weights()->embedding.panels(0));
  }
}

TEST_CASE("the reference of a later stage is the adapter that the stage began with, on the same base", "[lora][reference]") {
  Base base;
  rl::Policy policy(base.settings, 3, true);
  train(policy, 5);
  const auto at_start = logprobs(policy, *policy.weights());
  const auto reference = policy.weights_of(policy.store().master.clone());
  CHECK(reference->blocks[0].adapters.query.defined());
  CHECK(reference->embedding.panels(0) == policy.weights()->embedding.panels(0));
  CHECK(logprobs(policy, *reference) == at_start);
  train(policy, 3);
  CHECK(logprobs(policy, *reference) == at_start);
  CHECK(logprobs(policy, *policy.weights()) != at_start);
}

TEST_CASE("a checkpoint of an adapter gives back the same bits, and the run goes on with them", "[lora]") {
  Base base(kernels::Dtype::bf16);
  rl::Config config = testing::small_config("");
  config.model.path = base.settings.path, config.model.init = "", config.model.lora = base.settings.lora;
  rl::Policy calm(base.settings, 3, true), stopped(base.settings, 3, true);
  train(calm, 8);
  train(stopped, 5);
  rl::RunState state;
  state.global_step = 5;
  const std::string saved = rl::save_checkpoint(base.folder / "run", stopped, {}, state, config, 2);
  CHECK(model::is_adapter_folder(saved));
  rl::Policy resumed(base.settings, 99, true);  // another seed: everything comes from the checkpoint
  at::Tensor reference;
  rl::load_checkpoint(saved, resumed, &reference);
  CHECK(logprobs(resumed, *resumed.weights()) == logprobs(stopped, *stopped.weights()));
  train(resumed, 3);
  CHECK(testing::same_bits(resumed.store().master, calm.store().master));
  CHECK(testing::same_bits(resumed.store().second_moment, calm.store().second_moment));
  CHECK(bytes_of(resumed.weights()->blocks[1].adapters.down.up) == bytes_of(calm.weights()->blocks[1].adapters.down.up));
}

TEST_CASE("the saved adapter stands on its base by name, and export merges it", "[lora][export]") {
  Base base;
  rl::Policy policy(base.settings, 3, true);
  train(policy, 20);
  std::filesystem::create_directories(base.folder / "run");
  base.folder.put("run/config.toml", "[model]\npath = \"" + base.settings.path + "\"\n");
  policy.save(base.folder / "run/final", "");
  const auto place = model::find_model_place(base.folder / "run/final");
  CHECK(place.base == base.settings.path);
  CHECK(place.texts() == place.adapter);  // the run's tokenizer and template
  const auto config = model::read_config(place.base);
  const auto own = logprobs(policy, *policy.weights());
  CHECK(logprobs(policy, *model::read_packed_weights(place, config, kernels::Dtype::float32)) == own);
  CHECK(rl::run_export({.model = base.folder / "run", .out = base.folder / "merged", .dtype = "float32"}) == 0);
  const auto merged_config = model::read_config(base.folder / "merged");
  const auto merged = logprobs(policy, *model::read_packed_weights(base.folder / "merged", merged_config, kernels::Dtype::float32));
  for (size_t i = 0; i < own.size(); ++i) CHECK(std::abs(merged[i] - own[i]) < 1e-5);  // sums in another order
  const auto plain = logprobs(policy, *model::read_packed_weights(place.base, config, kernels::Dtype::float32));
  CHECK(std::abs(plain[0] - own[0]) > 0.01);
  CHECK_THAT(testing::usage_error([&] { rl::run_export({.model = base.settings.path, .out = base.folder / "x", .base = "y"}); }),
             Contains("Leave --base out"));
}

TEST_CASE("an adapter can learn what full training learns where its rank is that of the matrices", "[lora]") {
  Base base;
  base.settings.lora = {.rank = 16, .alpha = 16};
  rl::Policy adapter(base.settings, 3, true);
  base.settings.lora = {};
  rl::Policy full(base.settings, 3, true);
  const double before = train(full, 1);
  const double of_adapter = train(adapter, 60), of_full = train(full, 60);
  INFO("loss before " << before << ", adapter " << of_adapter << ", full " << of_full);
  CHECK(of_full < 0.1 * before);
  CHECK(of_adapter < 0.2 * before);
}

// The adapter's 832 parameters: masters 4 bytes each, moments 8, gradient 4. Its packed A takes panels of 64 outputs.
TEST_CASE("the memory plan of an adapter has no masters, gradient or moments of the base", "[lora]") {
  Base base;
  rl::Config config = testing::small_config("", {"kl.coef=0.1"});
  config.model = base.settings;
  const rl::MemoryPlan plan = rl::plan_memory(config);
  config.model.lora = {};
  const rl::MemoryPlan full = rl::plan_memory(config);
  CHECK(plan.trained == 832);
  CHECK(plan.master == 4 * 832);
  CHECK(plan.gradient == 4 * 832);
  CHECK(plan.moments == 8 * 832);
  CHECK(plan.weights == full.weights + plan.adapter);
  CHECK(plan.reference == plan.master + plan.adapter);
  // q: A 64 x 16, B 64 x 4; v: 64 x 16, 64 x 4; down: 64 x 32, 64 x 4, in float32, twice.
  CHECK(plan.adapter == 2 * 4 * 64 * (16 + 4 + 16 + 4 + 32 + 4));
}

TEST_CASE("settings of an adapter that cannot be are errors with the setting's name", "[lora]") {
  CHECK_THAT(testing::usage_error([&] { testing::small_config("", {"model.lora_rank=8"}); }),
             Contains("model.lora_rank: is 8, but a model that is born here has nothing to keep"));
  CHECK_THAT(testing::usage_error([&] { testing::small_config("", {"model.lora_alpha=8"}); }),
             Contains("model.lora_alpha: is set, but model.lora_rank is 0"));
  CHECK_THAT(testing::usage_error([&] { testing::small_config("", {"model.lora_rank=8", "moe.bias_update_rate=0.1"}); }),
             Contains("moe.bias_update_rate: is above 0, but model.lora_rank freezes the routers"));
}
