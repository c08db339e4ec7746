// Steps that were drawn ahead and saved, taken up again after a reward's outage or with other settings.
#include "rl/advantage/training_groups.h"
#include "rl/sampling/saved_samples.h"
#include "rl/sampling/step_rollouts.h"
#include "tests/rl/sampling/data_files.h"
#include "tests/rl/sampling/scripted_stage.h"
#include "tests/support/catch.h"

using rl::CollectedStep;
using testing::group_ids;
using testing::prompt_ids;
using testing::ScriptedStage;
using Ids = std::vector<int64_t>;

namespace {

// Problems from `first` on teach something if their number is even.
ScriptedStage::Script even_from(int64_t first) {
  return [first](const rollout::Request& request, int64_t index) -> ScriptedStage::Sample {
    return {.reward = request.prompt_id >= first && request.prompt_id % 2 == 0 && index == 1 ? 0.0 : 1.0};
  };
}

void stop_after(ScriptedStage& scripted, int64_t rounds) {
  scripted.stage.filter.zero_variance = "refill";
  scripted.stage.filter.max_refills = rounds;
  scripted.stage.filter.on_exhausted = "stop";
}

Ids trained_ids(const CollectedStep& step, const rl::StageConfig& stage) {
  Ids ids;
  for (const auto& group : rl::training_groups(step.groups, stage).groups) ids.push_back(group.group_id);
  return ids;
}

std::shared_ptr<const model::WeightSet> weights(int64_t version) {
  auto set = std::make_shared<model::WeightSet>();
  set->version = version;
  return set;
}

// As a checkpoint keeps the step, and a resumed run takes it up.
CollectedStep resumed(ScriptedStage& scripted, const CollectedStep& step) {
  rl::SamplingState state = rl::sampling_state_from(rl::to_json(step.state));
  auto saved = rl::load_samples(rl::save_samples({std::make_shared<const CollectedStep>(step)}, step.state), state);
  auto rollouts = scripted.open();
  rollouts.restore(state);
  return *rollouts.take_up(std::move(saved), 0, weights(7)).at(0);
}

}  // namespace

TEST_CASE("after an outage a refilled step is trained on as if there had been none", "[refill]") {
  ScriptedStage scripted(even_from(0));
  stop_after(scripted, 2);
  const auto calm = scripted.open().collect(0, nullptr);
  REQUIRE(trained_ids(calm, scripted.stage) == Ids{0, 2});
  scripted.outage = true;
  const auto broken = scripted.open().collect(0, nullptr);
  REQUIRE(prompt_ids(broken) == Ids{0, 1, 2, 3, 4, 5});  // new problems in place of those that had no reward
  REQUIRE((broken.exhausted && !broken.problem.empty()));
  scripted.outage = false;
  const auto step = resumed(scripted, broken);
  CHECK(trained_ids(step, scripted.stage) == Ids{0, 2});  // 4 took a place that is not free any more
  CHECK_FALSE(step.exhausted);
  CHECK(step.problem.empty());
  CHECK(step.refills == 2);
  rl::Metrics metrics;
  rl::append_sampling_metrics(metrics, step, scripted.stage);
  CHECK(metrics == rl::Metrics{{"refill/rounds", 2}, {"refill/dropped_groups", 4}, {"refill/exhausted", 0}});
  scripted.outage = true;  // it fails still: the step is as it was
  CHECK(resumed(scripted, broken).exhausted);
}

TEST_CASE("more rounds, given after the run stopped, ask with the weights of now what is missing", "[refill]") {
  ScriptedStage scripted(even_from(3));
  stop_after(scripted, 1);
  const auto stopped = scripted.open().collect(0, weights(4));
  REQUIRE(prompt_ids(stopped) == Ids{0, 1, 2, 3});
  REQUIRE_THAT(stopped.problem, Catch::Contains("only 0 of 2 groups"));
  CHECK(resumed(scripted, stopped).problem == stopped.problem);  // nothing was changed
  scripted.stage.filter.max_refills = 3;
  const auto step = resumed(scripted, stopped);
  CHECK(prompt_ids(step) == Ids{0, 1, 2, 3, 4, 5, 6});
  CHECK(group_ids(step) == Ids{0, 1, 2, 3, 4, 5, 6});
  CHECK(trained_ids(step, scripted.stage) == Ids{4, 6});
  CHECK(step.problem.empty());
  CHECK(step.refills == 3);
  CHECK(step.state.draws == 7);
  CHECK(step.groups[0].samples[0].record.policy_versions[0] == 4);
  CHECK(step.groups[6].samples[0].record.policy_versions[0] == 7);
  CHECK(step.groups[6].samples[0].record.request_step == 0);
  CHECK(step.times.after.generated_tokens - step.times.before.generated_tokens == 7 * 2 * 2);
}

TEST_CASE("another on_exhausted decides anew what a stopped step is trained on", "[refill]") {
  ScriptedStage scripted(even_from(2));
  stop_after(scripted, 1);
  const auto stopped = scripted.open().collect(0, nullptr);
  REQUIRE(trained_ids(stopped, scripted.stage) == Ids{2});
  scripted.stage.filter.on_exhausted = "keep_zero_variance";
  const auto step = resumed(scripted, stopped);
  CHECK(trained_ids(step, scripted.stage) == Ids{0, 2});
  CHECK(step.problem.empty());
}

TEST_CASE("verdicts that come late reach the curriculum once", "[curriculum]") {
  ScriptedStage scripted(even_from(0));
  scripted.stage.data = testing::rows_file("late", 6);
  scripted.stage.chat_template.style = "plain";
  scripted.stage.curriculum.kind = "pass_rate";
  scripted.outage = true;
  const auto broken = scripted.open().collect(0, nullptr);
  REQUIRE(broken.state.sets[0].prompts.empty());
  scripted.outage = false;
  const auto step = resumed(scripted, broken);
  REQUIRE(step.state.sets[0].prompts.size() == 2);
  CHECK(step.state.sets[0].prompts.at(0).pass_rate() == 0.5);
  CHECK(step.state.sets[0].prompts.at(1).dropped_in == 0);  // solved
  CHECK(resumed(scripted, step).state.sets[0].prompts.at(0).visits == 1);
}
