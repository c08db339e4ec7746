#include "rl/reward_metrics.h"

#include <cmath>

#include "tests/support/catch.h"

using Catch::Matchers::Contains;
using reward::Status;

namespace {

reward::Outcome value(double x) {
  reward::Outcome out;
  out.value = x;
  out.components = {{"exact", x}, {"judge", x * 2}};
  return out;
}

// The judge gave no value; with the default on_error the whole has none.
reward::Outcome failure(Status status) {
  reward::Outcome out;
  out.status = status;
  out.components = {{"exact", 1.0}};
  out.failed = {{"judge", status}};
  out.detail = "judge: no disk";
  return out;
}

std::vector<rl::Group> groups_of(const std::vector<std::vector<reward::Outcome>>& outcomes) {
  std::vector<rl::Group> groups;
  for (const auto& group : outcomes) {
    groups.emplace_back();
    for (const auto& one : group) {
      groups.back().samples.emplace_back();
      groups.back().samples.back().outcome = one;
    }
  }
  return groups;
}

rl::StageConfig stage_with(const std::string& on_error = "drop_sample", const std::string& role = "sum") {
  rl::StageConfig stage;
  stage.rewards.resize(2);
  stage.rewards[0].name = "exact";
  stage.rewards[1].name = "judge";
  stage.rewards[1].on_error = on_error;
  stage.rewards[1].role = role;
  return stage;
}

double metric(const rl::Metrics& metrics, const std::string& name) {
  for (const auto& [key, x] : metrics)
    if (key == name) return x;
  FAIL("no metric " << name);
  return 0;
}

// Ten completions, `bad` of them failed.
std::vector<rl::Group> ten(int bad, Status status = Status::infra_error) {
  std::vector<reward::Outcome> outcomes;
  for (int i = 0; i < 10; ++i) outcomes.push_back(i < bad ? failure(status) : value(1));
  return groups_of({outcomes});
}

}  // namespace

TEST_CASE("each reward has its own mean, spread and failures", "[reward_metrics]") {
  // exact: 1 0 | 1 1 | 1 1; judge: 2 0 | 2 - | - -
  const auto metrics = rl::reward_metrics(
      groups_of({{value(1), value(0)}, {value(1), failure(Status::timeout)}, {failure(Status::infra_error),
                                                                              failure(Status::not_applicable)}}),
      stage_with());
  CHECK(metric(metrics, "rewards/exact/mean") == 5.0 / 6);
  CHECK(metric(metrics, "rewards/exact/frac_zero_std") == 2.0 / 3);
  CHECK(metric(metrics, "rewards/exact/error_share") == 0.0);
  CHECK(metric(metrics, "rewards/judge/mean") == 4.0 / 3);
  // 2, 0, 2 around 4/3: (4 + 16 + 4) / 9 / 2 = 4/3.
  CHECK_THAT(metric(metrics, "rewards/judge/std"), Catch::Matchers::WithinAbs(std::sqrt(4.0 / 3), 1e-12));
  CHECK(metric(metrics, "rewards/judge/frac_zero_std") == 2.0 / 3);
  CHECK(metric(metrics, "rewards/judge/error_share") == 1.0 / 6);
  CHECK(metric(metrics, "rewards/judge/timeout_share") == 1.0 / 6);
  CHECK(metric(metrics, "rewards/judge/skip_share") == 1.0 / 6);
  CHECK(metric(metrics, "reward") == 2.0 / 3);  // 1, 0, 1
  CHECK(metric(metrics, "completions/unscored_share") == 0.5);
  CHECK(metric(metrics, "completions/error_share") == 1.0 / 3);
  for (const auto& [name, unused] : metrics) CHECK(rl::find_metric(name) != nullptr);
}

TEST_CASE("a reward that scored nothing has shares and no mean", "[reward_metrics]") {
  const auto metrics = rl::reward_metrics(groups_of({{failure(Status::timeout), failure(Status::timeout)}}), stage_with());
  CHECK(metric(metrics, "rewards/judge/timeout_share") == 1.0);
  for (const auto& [name, unused] : metrics) CHECK(name != "rewards/judge/mean");
  CHECK(std::isnan(metric(metrics, "reward")));
}

TEST_CASE("an evaluation whose rewards fail has no accuracy", "[reward_metrics]") {
  auto stage = stage_with();
  stage.filter.max_infra_error_share = 0.2;
  CHECK(rl::evaluation_problem(ten(0), stage).empty());
  CHECK(rl::evaluation_problem(ten(2), stage).empty());
  CHECK(rl::evaluation_problem(ten(10, Status::not_applicable), stage).empty());
  CHECK_THAT(rl::evaluation_problem(ten(3, Status::timeout), stage),
             Contains("3 of 10 completions") && Contains("max_infra_error_share = 0.2") && Contains("judge: no disk"));
}

TEST_CASE("call times become a median and a 99th percentile", "[reward_metrics]") {
  rl::Metrics metrics;
  rl::append_reward_times(metrics, {{"judge", {5, 1, 3}}, {"idle", {}}});
  REQUIRE(metrics.size() == 2);
  CHECK(metric(metrics, "timing/rewards/judge/p50_ms") == 3);
  CHECK(metric(metrics, "timing/rewards/judge/p99_ms") == 5);
  for (const auto& [name, unused] : metrics) CHECK(rl::find_metric(name) != nullptr);
}

TEST_CASE("the run stops when the last steps hold more failures than are allowed", "[reward_metrics]") {
  // A share of 0.05 of 4 steps of 10 completions: 2 failures are allowed, 3 are too many.
  auto stage = stage_with();
  stage.filter.max_infra_error_share = 0.05;
  stage.filter.error_window_steps = 4;
  rl::RewardErrors errors;
  CHECK(rl::add_errors(errors, stage, ten(2)).empty());
  CHECK(rl::add_errors(errors, stage, ten(0)).empty());
  CHECK(rl::add_errors(errors, stage, ten(0)).empty());
  CHECK(rl::add_errors(errors, stage, ten(0)).empty());
  CHECK(rl::add_errors(errors, stage, ten(2)).empty());  // the first step is forgotten
  const std::string told = rl::add_errors(errors, stage, ten(1, Status::timeout));
  CHECK_THAT(told, Contains("Of this step's 10 completions 1 timed out and 0 failed otherwise; 3 did in the last 4 steps"));
  CHECK_THAT(told, Contains("max_infra_error_share = 0.05 of 4 steps allows 2") && Contains("judge: no disk"));
}

TEST_CASE("an outage stops the run at its first step", "[reward_metrics]") {
  const auto stage = stage_with();
  rl::RewardErrors errors;
  CHECK_FALSE(rl::add_errors(errors, stage, ten(10)).empty());  // 10 > 0.05 * 10 * 10 = 5
}

TEST_CASE("what does not apply, and a metric that fails, are no errors", "[reward_metrics]") {
  auto stage = stage_with();
  stage.filter.max_infra_error_share = 0;
  rl::RewardErrors errors;
  CHECK(rl::add_errors(errors, stage, ten(10, Status::not_applicable)).empty());
  auto logged = stage_with("drop_sample", "metric");
  logged.filter.max_infra_error_share = 0;
  auto groups = ten(10);
  for (auto& s : groups[0].samples) s.outcome.status = Status::scored;  // as the sum gives it for a metric
  rl::RewardErrors other;
  CHECK(rl::add_errors(other, logged, groups).empty());
}

TEST_CASE("a failure that counts as 0 counts as an error too", "[reward_metrics]") {
  auto stage = stage_with("zero");
  stage.filter.max_infra_error_share = 0;
  rl::RewardErrors errors;
  auto groups = ten(1);
  groups[0].samples[0].outcome.status = Status::scored;
  CHECK_THAT(rl::add_errors(errors, stage, groups), Contains("1 failed otherwise"));
}

TEST_CASE("one failure of a reward with on_error = abort stops the run", "[reward_metrics]") {
  const auto stage = stage_with("abort");
  rl::RewardErrors errors;
  CHECK(rl::add_errors(errors, stage, ten(0)).empty());
  auto groups = ten(1);
  groups[0].samples[0].outcome.abort = true;
  CHECK_THAT(rl::add_errors(errors, stage, groups), Contains("on_error = \"abort\"") && Contains("judge: no disk"));
  // A call that never came back names no part.
  auto late = ten(1, Status::timeout);
  late[0].samples[0].outcome.failed.clear();
  CHECK_FALSE(rl::add_errors(errors, stage, late).empty());
}
