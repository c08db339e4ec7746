// Dynamic sampling: groups whose rewards are all equal are replaced by other problems'.
#include "rl/advantage/training_groups.h"
#include "rl/sampling/step_rollouts.h"
#include "tests/rl/sampling/scripted_stage.h"
#include "tests/support/catch.h"

using testing::group_ids;
using testing::prompt_ids;
using testing::ScriptedStage;
using Ids = std::vector<int64_t>;

namespace {

// Problems with an even number teach something: rewards 1 and 0. The others are always right.
ScriptedStage::Sample even_teach(const rollout::Request& request, int64_t index) {
  return {.reward = request.prompt_id % 2 == 0 && index == 1 ? 0.0 : 1.0};
}

double metric(const rl::CollectedStep& step, const rl::StageConfig& stage, const std::string& name) {
  rl::Metrics metrics;
  rl::append_sampling_metrics(metrics, step, stage);
  for (const auto& [key, value] : metrics)
    if (key == name) return value;
  return -1;
}

std::vector<bool> left_out(const rl::CollectedStep& step) {
  std::vector<bool> out;
  for (const auto& group : step.groups) out.push_back(group.left_out);
  return out;
}

Ids trained_ids(const rl::CollectedStep& step, const rl::StageConfig& stage) {
  Ids ids;
  for (const auto& group : rl::training_groups(step.groups, stage).groups) ids.push_back(group.group_id);
  return ids;
}

}  // namespace

TEST_CASE("each round asks as many new problems as groups are missing", "[refill]") {
  ScriptedStage scripted(even_teach);
  scripted.stage.filter.zero_variance = "refill";
  auto rollouts = scripted.open();
  // Problems 0 and 1: the second teaches nothing. One more: 2.
  const auto first = rollouts.collect(0, nullptr);
  CHECK(prompt_ids(first) == Ids{0, 1, 2});
  CHECK(group_ids(first) == Ids{0, 1, 2});
  CHECK(left_out(first) == std::vector<bool>{false, true, false});
  CHECK(trained_ids(first, scripted.stage) == Ids{0, 2});
  CHECK(first.groups[2].samples[0].record.request_step == 0);  // of the same step
  CHECK(metric(first, scripted.stage, "refill/rounds") == 1);
  CHECK(metric(first, scripted.stage, "refill/dropped_groups") == 1);
  CHECK(metric(first, scripted.stage, "refill/exhausted") == 0);
  // 3 and 4; 5 in place of 3, 6 in place of 5.
  const auto second = rollouts.collect(1, nullptr);
  CHECK(prompt_ids(second) == Ids{3, 4, 5, 6});
  CHECK(trained_ids(second, scripted.stage) == Ids{4, 6});
  CHECK(metric(second, scripted.stage, "refill/rounds") == 2);
  CHECK(second.state.draws == 7);
  CHECK(second.state.next_group == 7);
}

TEST_CASE("when the rounds are used up, the settings say what is trained on", "[refill]") {
  // Problem 3 alone teaches something: the rounds ask two problems, two more, and then one.
  const auto only_three = [](const rollout::Request& request, int64_t index) -> ScriptedStage::Sample {
    return {.reward = request.prompt_id == 3 && index == 1 ? 0.0 : 1.0};
  };
  ScriptedStage scripted(only_three);
  scripted.stage.filter.zero_variance = "refill";
  scripted.stage.filter.max_refills = 2;
  const auto collect = [&](const char* on_exhausted) {
    scripted.stage.filter.on_exhausted = on_exhausted;
    return scripted.open().collect(0, nullptr);
  };
  const auto smaller = collect("smaller_batch");
  CHECK(prompt_ids(smaller) == Ids{0, 1, 2, 3, 4});
  CHECK(trained_ids(smaller, scripted.stage) == Ids{3});
  CHECK(metric(smaller, scripted.stage, "refill/exhausted") == 1);
  CHECK(metric(smaller, scripted.stage, "refill/dropped_groups") == 4);
  CHECK(smaller.problem.empty());
  const auto filled = collect("keep_zero_variance");
  CHECK(trained_ids(filled, scripted.stage) == Ids{0, 3});  // the first of those that teach nothing
  CHECK(metric(filled, scripted.stage, "refill/dropped_groups") == 3);
  CHECK_THAT(collect("stop").problem, Catch::Contains("only 1 of 2 groups have rewards that differ after 2 rounds"));
}

TEST_CASE("by accuracy a group teaches when some of its completions are right, whatever their rewards", "[refill]") {
  // Odd problems: nothing is right, though the rewards differ.
  const auto odd_fail = [](const rollout::Request& request, int64_t index) -> ScriptedStage::Sample {
    return {.reward = (request.prompt_id % 2 == 0 ? 1.0 : 0.5) - (index == 1 ? 0.3 : 0.0)};
  };
  ScriptedStage scripted(odd_fail);
  scripted.stage.filter.zero_variance = "refill";
  CHECK(trained_ids(scripted.open().collect(0, nullptr), scripted.stage) == Ids{0, 1});
  scripted.stage.filter.metric = "accuracy";
  const auto step = scripted.open().collect(0, nullptr);
  CHECK(prompt_ids(step) == Ids{0, 1, 2});
  CHECK(trained_ids(step, scripted.stage) == Ids{0, 2});
}

TEST_CASE("a step that needs no other problems is as without refilling", "[refill]") {
  const auto all_teach = [](const rollout::Request&, int64_t index) -> ScriptedStage::Sample { return {.reward = index == 0 ? 1.0 : 0.0}; };
  ScriptedStage plain(all_teach), refilled(all_teach);
  refilled.stage.filter.zero_variance = "refill";
  auto one = plain.open(), other = refilled.open();
  for (int64_t step = 0; step < 3; ++step) {
    const auto a = one.collect(step, nullptr), b = other.collect(step, nullptr);
    CHECK(group_ids(a) == group_ids(b));
    CHECK(rl::to_json(a.state) == rl::to_json(b.state));
  }
}

TEST_CASE("refilled sampling goes on from a state as if it had never stopped", "[refill]") {
  ScriptedStage scripted(even_teach);
  scripted.stage.filter.zero_variance = "refill";
  auto calm = scripted.open();
  for (int64_t step = 0; step < 4; ++step) {
    auto resumed = scripted.open();
    resumed.restore(rl::sampling_state_from(rl::to_json(calm.state())));
    const auto expected = calm.collect(step, nullptr), again = resumed.collect(step, nullptr);
    CHECK(prompt_ids(again) == prompt_ids(expected));
    CHECK(group_ids(again) == group_ids(expected));
  }
}
