#include "rl/sampling/step_rollouts.h"

#include "tests/rl/sampling/scripted_stage.h"
#include "tests/support/catch.h"

using testing::group_ids;
using testing::prompt_ids;
using testing::ScriptedStage;
using Ids = std::vector<int64_t>;

namespace {

ScriptedStage::Sample half_right(const rollout::Request&, int64_t index) { return {.reward = index == 0 ? 1.0 : 0.0}; }

}  // namespace

TEST_CASE("each step asks the next problems, under ids that go on", "[sampling]") {
  ScriptedStage scripted(half_right);
  auto rollouts = scripted.open();
  CHECK(prompt_ids(rollouts.collect(0, nullptr)) == Ids{0, 1});
  const auto second = rollouts.collect(1, nullptr);
  CHECK(prompt_ids(second) == Ids{2, 3});
  CHECK(group_ids(second) == Ids{2, 3});
  CHECK(second.groups[1].samples[0].record.request_step == 1);
  CHECK(second.groups[1].samples[0].outcome.value == 1.0);
  CHECK(second.groups[1].samples[1].outcome.value == 0.0);
  CHECK(second.state.draws == 4);
}

TEST_CASE("a stage after three steps of another draws none of its random numbers again", "[sampling]") {
  ScriptedStage scripted(half_right);
  auto rollouts = scripted.open(3, 3);
  const auto first = rollouts.collect(0, nullptr);
  CHECK(prompt_ids(first) == Ids{0, 1});
  CHECK(group_ids(first) == Ids{6, 7});  // 3 steps of 2 prompts before it
  CHECK(first.groups[0].samples[0].record.request_step == 3);
}

TEST_CASE("sampling goes on from a state as if it had never stopped", "[sampling]") {
  ScriptedStage scripted(half_right);
  auto calm = scripted.open();
  for (int64_t step = 0; step < 2; ++step) calm.collect(step, nullptr);
  const std::string saved = rl::to_json(calm.state());
  const auto expected = calm.collect(2, nullptr);
  auto resumed = scripted.open();
  resumed.restore(rl::sampling_state_from(saved));
  const auto again = resumed.collect(2, nullptr);
  CHECK(prompt_ids(again) == prompt_ids(expected));
  CHECK(group_ids(again) == group_ids(expected));
  CHECK(rl::to_json(again.state) == rl::to_json(expected.state));
}
