// Against TRL's SFTTrainer and transformers' cosine schedule: tests/support/make_sft_golden.py.
#include <nlohmann/json.hpp>

#include "rl/schedule.h"
#include "rl/sft/sequence.h"
#include "tests/rl/sft/small_policy.h"
#include "tests/support/catch.h"

namespace {

nlohmann::json golden() {
  std::ifstream in(testing::source_dir() + "/tests/rl/golden/sft.json");
  return nlohmann::json::parse(in);
}

rl::StageConfig stage_of(const nlohmann::json& g) {
  rl::StageConfig stage;
  stage.kind = "sft";
  stage.steps = g["steps"];
  stage.optimizer.lr = g["lr"], stage.optimizer.beta1 = g["beta1"], stage.optimizer.beta2 = g["beta2"], stage.optimizer.eps = g["eps"];
  stage.optimizer.weight_decay = g["weight_decay"], stage.optimizer.max_grad_norm = g["max_grad_norm"];
  stage.optimizer.schedule = "cosine", stage.optimizer.warmup_steps = 0;
  return stage;
}

rl::SftSequence row_of(const nlohmann::json& row) {
  rl::SftSequence sequence{row["prompt"], row["completion"], {}};
  sequence.trained.assign(sequence.tokens.size(), 1);
  return sequence;
}

}  // namespace

TEST_CASE("the losses of eight steps are TRL's, each within 1e-5", "[sft]") {
  const auto g = golden();
  rl::Policy policy = testing::small_policy();
  const rl::StageConfig stage = stage_of(g);
  const auto rows_a_step = g["rows_a_step"].get<int64_t>(), count = static_cast<int64_t>(g["rows"].size());
  for (int64_t step = 0; step < stage.steps; ++step) {
    std::vector<rl::TrainGroup> groups;
    for (int64_t i = step * rows_a_step; i < (step + 1) * rows_a_step; ++i) groups.push_back(rl::group_of(row_of(g["rows"][i % count]), i));
    rl::weigh_tokens(groups, stage.loss);
    auto update = policy.accumulate(groups, stage, {1000, 0});
    policy.apply(update, stage, step, stage.steps);
    INFO("step " << step << ": " << update.sums.loss << " and " << g["losses"][step]);
    REQUIRE(std::abs(update.sums.loss - g["losses"][step].get<double>()) < 1e-5);
    REQUIRE(update.learning_rate == Approx(g["rates"][step].get<double>()).epsilon(1e-12));
  }
}

// Four warm-up steps of twelve: transformers' factors are 0, 1/4, 2/4, 3/4, 1, ...; ours begin at 1/4. From there on they agree.
TEST_CASE("cosine after a warm-up is get_cosine_schedule_with_warmup, its warm-up one step earlier", "[sft]") {
  const auto theirs = golden()["cosine_warmup_4_of_12"];
  rl::OptimizerConfig config;
  config.lr = 1, config.schedule = "cosine", config.warmup_steps = 4;
  for (int64_t step = 0; step < 4; ++step) REQUIRE(rl::learning_rate(config, step, 12) == Approx(theirs[step + 1].get<double>()));
  for (int64_t step = 4; step < 12; ++step)
    REQUIRE(rl::learning_rate(config, step, 12) == Approx(theirs[step].get<double>()).epsilon(1e-12));
}
