#include "rl/sampling/saved_samples.h"

#include "kernels/error.h"
#include "rollout/record_io.h"
#include "tests/rl/sampling/scripted_stage.h"
#include "tests/support/catch.h"

using rl::CollectedStep;
using testing::group_ids;
using testing::ScriptedStage;
using Ids = std::vector<int64_t>;

namespace {

ScriptedStage::Sample by_index(const rollout::Request&, int64_t index) { return {.reward = index == 0 ? 1.0 : 0.0}; }

// Asks for four groups a step and takes two.
void carry(ScriptedStage& scripted) {
  scripted.stage.rollout.overprovision = 2;
  scripted.stage.rollout.partial = true;
}

}  // namespace

TEST_CASE("groups that a step ends without come first in the next one, under their own ids", "[sampling]") {
  ScriptedStage scripted(by_index);
  carry(scripted);
  auto rollouts = scripted.open();
  const auto first = rollouts.collect(0, nullptr), second = rollouts.collect(1, nullptr), third = rollouts.collect(2, nullptr);
  CHECK(group_ids(first) == Ids{0, 1});
  CHECK(first.state.carried->size() == 2);
  CHECK(first.state.next_group == 4);
  CHECK(group_ids(second) == Ids{2, 3});
  CHECK(second.groups[0].samples[0].record.request_step == 0);  // whose random numbers they go on with
  CHECK(second.state.next_group == 6);                          // two new ones in place of the two that went on
  CHECK(group_ids(third) == Ids{4, 5});
  CHECK(third.groups[0].samples[0].record.request_step == 1);
  CHECK(third.groups[1].problem.prompt_id == 5);                // no problem is left out
}

TEST_CASE("samples go through a checkpoint without a change", "[sampling]") {
  ScriptedStage scripted(by_index);
  carry(scripted);
  auto calm = scripted.open();
  auto first = calm.collect(0, nullptr);
  first.groups[0].samples[0].text = "not UTF-8: \xff\xfe";
  first.groups[0].samples[0].outcome.detail = "\xc3";
  first.groups[1].problem.extra = "{\"level\":3}";
  auto& odd = first.groups[1].samples[1].outcome;
  odd = {};
  odd.status = reward::Status::timeout, odd.reason = "deadline", odd.components = {{"a", 0.1}, {"b", -1e-300}};
  odd.failed = {{"b", reward::Status::infra_error}}, odd.abort = true;
  first.carried_tokens = 17, first.refills = 2, first.exhausted = true;
  auto& used = first.times.after;
  used = first.times.before;
  used.prompt_tokens += 30, used.cached_tokens += 4, used.generated_tokens += 50, used.recomputed_tokens += 6, used.flops += 7e9;
  const auto second = std::make_shared<const CollectedStep>(calm.collect(1, nullptr));
  const rl::StepsAhead ahead{std::make_shared<const CollectedStep>(first), second};
  const std::string bytes = rl::save_samples(ahead, second->state);

  rl::SamplingState state = rl::sampling_state_from(rl::to_json(second->state));
  CHECK_FALSE(state.carried);
  const rl::StepsAhead loaded = rl::load_samples(bytes, state);
  REQUIRE(loaded.size() == 2);
  CHECK(rl::save_samples(loaded, state) == bytes);
  const rl::CollectedStep& back = *loaded[0];
  CHECK(back.groups[0].samples[0].text == "not UTF-8: \xff\xfe");
  CHECK(back.groups[1].problem.extra == "{\"level\":3}");
  const auto& outcome = back.groups[1].samples[1].outcome;
  CHECK(outcome.status == reward::Status::timeout);
  CHECK(outcome.components == odd.components);
  CHECK(outcome.failed == odd.failed);
  CHECK(outcome.abort);
  CHECK(back.carried_tokens == 17);
  CHECK((back.refills == 2 && back.exhausted));
  const auto cost = rl::difference(back.times.after, back.times.before);  // what a resumed run still has to pay
  CHECK((cost.prompt_tokens == 30 && cost.cached_tokens == 4 && cost.generated_tokens == 50 && cost.recomputed_tokens == 6));
  CHECK(cost.flops == 7e9);

  // What a reward failed on is scored again, the rest is as it was.
  auto resumed = scripted.open();
  resumed.restore(state);
  const auto scored = resumed.take_up(loaded, 0, nullptr);
  CHECK(scored[0]->groups[1].samples[1].outcome.status == reward::Status::scored);
  CHECK(rl::save_samples({scored[1]}, state) == rl::save_samples({loaded[1]}, state));
  CHECK(rl::to_json(scored[1]->state) == rl::to_json(state));
  const auto expected = calm.collect(2, nullptr), again = resumed.collect(2, nullptr);
  CHECK(group_ids(again) == group_ids(expected));
  CHECK(rl::save_samples({std::make_shared<const CollectedStep>(again)}, again.state).size() ==
        rl::save_samples({std::make_shared<const CollectedStep>(expected)}, expected.state).size());
}

TEST_CASE("nothing drawn ahead, nothing saved; damaged bytes are refused", "[sampling]") {
  CHECK(rl::save_samples({}, {}).empty());
  ScriptedStage scripted(by_index);
  auto rollouts = scripted.open();
  const auto step = std::make_shared<const CollectedStep>(rollouts.collect(0, nullptr));
  std::string bytes = rl::save_samples({step}, step->state);
  rl::SamplingState state;
  CHECK_THROWS_AS(rl::load_samples(bytes.substr(0, bytes.size() / 2), state), kernels::Error);
  bytes[bytes.find("PNDRSMPL") + 30] ^= 1;  // in a record: its checksum
  CHECK_THROWS_AS(rl::load_samples(bytes, state), kernels::Error);
}
