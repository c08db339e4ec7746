// What RL adds to a mixture of experts: replayed routes, and the balance loss.
#include <cmath>

#include "rl/rollout_routes.h"
#include "tests/rl/mistakes/small_run.h"
#include "tests/support/catch.h"
#include "tests/support/compare.h"

namespace {

using testing::SmallRun;

const rl::MicroBatchPlan kWhole{1 << 20, 0};

// One update with a large step, so that the router chooses otherwise after it.
void move(SmallRun& run) {
  rl::StageConfig fast = run.stage();
  fast.optimizer.lr = 0.05, fast.optimizer.warmup_steps = 0;
  auto update = run.policy.accumulate(run.training(), run.stage(), kWhole);
  run.policy.apply(update, fast, 0, 1);
}

at::Tensor gradient_of(SmallRun& run, const std::vector<rl::TrainGroup>& groups, const rl::StageConfig& stage,
                       const rl::MicroBatchPlan& plan, rl::UpdateStatistics* statistics = nullptr) {
  run.policy.store().gradient.zero_();
  const auto update = run.policy.accumulate(groups, stage, plan);
  if (statistics != nullptr) *statistics = update;
  run.policy.store().complete_gradient();
  return run.policy.store().gradient.clone();
}

}  // namespace

TEST_CASE("routes recorded before an update are the routes of the passes after it", "[experts]") {
  SmallRun run;
  auto groups = run.training();
  run.policy.record_routes(groups, run.stage(), kWhole);
  REQUIRE(groups[0].routes.size() == 2);  // one a layer
  rl::UpdateStatistics before, replayed, live;
  const at::Tensor own = gradient_of(run, run.training(), run.stage(), kWhole, &before);
  // With the same weights, replay changes no bit.
  REQUIRE(testing::same_bits(gradient_of(run, groups, run.stage(), kWhole), own));
  move(run);
  gradient_of(run, run.training(), run.stage(), kWhole, &live);
  const at::Tensor whole = gradient_of(run, groups, run.stage(), kWhole, &replayed);
  REQUIRE(replayed.expert_loads == before.expert_loads);
  REQUIRE(live.expert_loads != before.expert_loads);
  // Whatever the micro-batches and the recomputed blocks.
  REQUIRE(testing::same_bits(gradient_of(run, groups, run.stage(), {1, 2}), whole));
}

TEST_CASE("routes recorded by the sampler are the live ones before an update, and stay those of the samples after it", "[experts]") {
  SmallRun run({"moe.replay=rollout"});
  auto groups = run.training(), trainer = run.training();
  rl::replay_rollout_routes(groups, run.policy.config());
  run.policy.record_routes(trainer, run.stage(), kWhole);
  REQUIRE(groups[0].routes.size() == 2);
  rl::UpdateStatistics before, replayed, live;
  const at::Tensor own = gradient_of(run, run.training(), run.stage(), kWhole, &before);
  rl::UpdateStatistics on_policy;
  REQUIRE(testing::same_bits(gradient_of(run, groups, run.stage(), kWhole, &on_policy), own));
  REQUIRE((on_policy.ratio_min == 1.0 && on_policy.ratio_max == 1.0));
  move(run);  // from here on the samples are of older weights
  gradient_of(run, run.training(), run.stage(), kWhole, &live);
  const at::Tensor stale = gradient_of(run, groups, run.stage(), kWhole, &replayed);
  REQUIRE(replayed.expert_loads == before.expert_loads);
  REQUIRE(live.expert_loads != before.expert_loads);
  REQUIRE(testing::same_bits(gradient_of(run, trainer, run.stage(), kWhole), stale));
  // Log-probabilities computed again take the recorded experts too.
  auto unrouted = run.training();
  run.policy.score(groups, run.stage(), kWhole, *run.policy.weights(), &rl::TrainSequence::old_logprobs);
  run.policy.score(unrouted, run.stage(), kWhole, *run.policy.weights(), &rl::TrainSequence::old_logprobs);
  REQUIRE(groups[0].sequences[0].old_logprobs != unrouted[0].sequences[0].old_logprobs);
}

TEST_CASE("samples without routes, or with another model's, are refused", "[experts]") {
  SmallRun run;
  auto groups = run.training();
  REQUIRE_THROWS_WITH(rl::replay_rollout_routes(groups, run.policy.config()), Catch::Contains("made without routes"));
  SmallRun routed({"moe.replay=rollout"});
  groups = routed.training();
  groups[1].prompt_routes[0] = 4;  // of experts 0 to 3
  REQUIRE_THROWS_WITH(rl::replay_rollout_routes(groups, run.policy.config()), Catch::Contains("a recorded expert is 4"));
}

TEST_CASE("the balance loss moves the router, and adds up over any micro-batches", "[experts]") {
  SmallRun run;
  rl::StageConfig stage = run.stage();
  const at::Tensor without = gradient_of(run, run.training(), stage, kWhole);
  stage.moe.aux_loss_coef = 0.1;
  rl::UpdateStatistics whole, cut;
  const at::Tensor with = gradient_of(run, run.training(), stage, kWhole, &whole);
  REQUIRE_FALSE(testing::same_bits(with, without));
  REQUIRE(testing::same_bits(gradient_of(run, run.training(), stage, {1, 1}, &cut), with));
  REQUIRE(cut.aux_loss == whole.aux_loss);
  REQUIRE(cut.sums.loss == whole.sums.loss);
  // Two layers of experts: even loads and scores would give 2; a router that is born near 0 is not far from it.
  REQUIRE(whole.aux_loss == Approx(2.0).epsilon(0.5));
  REQUIRE(whole.sums.loss - whole.sums.policy_loss == Approx(0.1 * whole.aux_loss).epsilon(1e-9));
}

TEST_CASE("a router that is not trained keeps its bits, under weight decay and with moments of earlier steps", "[experts]") {
  SmallRun run;
  rl::StageConfig stage = run.stage();
  stage.optimizer.weight_decay = 0.5;
  const auto routers = [&] {
    std::vector<at::Tensor> all;
    const auto& store = run.policy.store();
    for (const auto& p : store.parameters())
      if (p.name.ends_with("mlp.gate.weight")) all.push_back(store.master.narrow(0, p.offset, p.size).clone());
    return all;
  };
  const auto update = [&] {
    auto statistics = run.policy.accumulate(run.training(), stage, kWhole);
    run.policy.apply(statistics, stage, 0, 10);
  };
  const auto born = routers();
  update();
  const auto moved = routers();
  REQUIRE_FALSE(testing::same_bits(moved.at(0), born.at(0)));
  stage.moe.train_router = false;
  update();
  for (size_t i = 0; i < moved.size(); ++i) REQUIRE(testing::same_bits(routers().at(i), moved[i]));
}

TEST_CASE("settings of the experts that cannot work are refused", "[experts]") {
  REQUIRE_THAT(testing::small_config_error("[moe]\nreplay = \"trainer\"\n"),
               Catch::Contains("moe.replay: is \"trainer\", but a step has one update"));
  REQUIRE_THAT(testing::small_config_error("[moe]\naux_loss_coef = 0.1\ntrain_router = false\n"), Catch::Contains("moe.aux_loss_coef"));
  REQUIRE(testing::small_config_error("[moe]\nreplay = \"trainer\"\n[loss]\nupdates_per_step = 2\n") == "");
}
