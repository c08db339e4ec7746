#include "rl/advantage/training_groups.h"

#include <cmath>

#include "rl/advantage/step_advantages.h"
#include "rl/rollouts/dump.h"
#include "tests/support/catch.h"

namespace {

using reward::Status;

rl::ScoredSample sample(double value, std::vector<std::pair<std::string, double>> components = {}, Status status = Status::scored) {
  rl::ScoredSample s;
  s.record.prompt_tokens = {1, 2};
  s.record.tokens = {5, 6, 7};
  s.record.trained = {{0, 1}, {2, 1}};
  s.record.logprobs = {-0.5f, -0.25f};
  s.record.policy_versions = {0, 0};
  s.outcome.value = value, s.outcome.status = status, s.outcome.components = std::move(components);
  return s;
}

rl::Group group_of(std::vector<rl::ScoredSample> samples) {
  rl::Group group;
  group.samples = std::move(samples);
  return group;
}

reward::Settings part(const char* name, const char* role, double weight = 1) {
  reward::Settings settings;
  settings.name = name, settings.role = role, settings.weight = weight;
  return settings;
}

}  // namespace

TEST_CASE("log-probabilities land on the tokens they are of", "[training_groups]") {
  const auto out = rl::training_groups({group_of({sample(1), sample(0)})}, {});
  const auto& s = out.groups.at(0).sequences.at(0);
  REQUIRE(s.trained == std::vector<uint8_t>{1, 0, 1});
  REQUIRE(s.logprobs == std::vector<float>{-0.5f, 0.0f, -0.25f});
  REQUIRE(s.reward == 1);
}

TEST_CASE("members without a value leave, and a group that is too small after it", "[training_groups]") {
  const auto failed = sample(0, {}, Status::timeout);
  auto out = rl::training_groups({group_of({sample(1), failed, sample(0)}), group_of({sample(1), failed})}, {});
  REQUIRE(out.groups.size() == 1);
  REQUIRE(out.groups[0].sequences.size() == 2);
  REQUIRE(out.dropped == 1);
  // Nothing is compared within the group: one is enough.
  rl::StageConfig alone;
  alone.advantage.baseline = "batch_mean", alone.advantage.scale = "batch_std";
  REQUIRE(rl::training_groups({group_of({sample(1), failed})}, alone).groups.size() == 1);
}

TEST_CASE("equal rewards are dropped only when asked, and parts are looked at alone", "[training_groups]") {
  rl::StageConfig stage;
  stage.rewards = {part("exact", "sum", 2), part("short", "sum"), part("format", "gate"), part("words", "metric")};
  const auto groups = {group_of({sample(1, {{"exact", 0.5}, {"short", 0}, {"format", 1}}),
                                 sample(1, {{"exact", 0}, {"short", 1}, {"format", 1}})})};
  REQUIRE(rl::training_groups(groups, stage).dropped == 0);
  stage.filter.zero_variance = "drop";
  REQUIRE(rl::training_groups(groups, stage).dropped == 1);
  stage.advantage.combine = "normalize_then_sum";
  const auto out = rl::training_groups(groups, stage);
  REQUIRE(out.dropped == 0);
  REQUIRE(out.part_weights == std::vector<double>{2, 1});
  REQUIRE(out.groups[0].sequences[0].parts == std::vector<double>{0.5, 0});
}

TEST_CASE("by accuracy a group is dropped when all are right or all are wrong, though their rewards differ", "[training_groups]") {
  rl::StageConfig stage;
  stage.rewards = {part("overlong", "sum"), part("exact", "sum")};  // the judge is the one that compares answers
  stage.filter.zero_variance = "drop", stage.filter.metric = "accuracy";
  const auto scored = [](double exact, double overlong) { return sample(exact + overlong, {{"overlong", overlong}, {"exact", exact}}); };
  const std::vector groups{group_of({scored(0, 0), scored(0, -0.5)}), group_of({scored(1, 0), scored(1, -0.5)}),
                           group_of({scored(1, -1), scored(0, 0)})};
  const auto out = rl::training_groups(groups, stage);
  REQUIRE(out.dropped == 2);
  REQUIRE(out.groups.at(0).sequences[0].parts == std::vector<double>{-1, 1});
  stage.filter.metric = "reward";
  REQUIRE(rl::training_groups(groups, stage).dropped == 1);  // the last: 1 - 1 = 0 + 0
}

TEST_CASE("a shut gate takes all parts with it", "[training_groups]") {
  rl::StageConfig stage;
  stage.rewards = {part("exact", "sum"), part("format", "gate")};
  const auto group = group_of({sample(0, {{"exact", 1}, {"format", 0}}), sample(1, {{"exact", 1}, {"format", 1}})});
  const auto out = rl::training_groups({group}, stage);
  REQUIRE(out.groups[0].sequences[0].parts == std::vector<double>{0});
  REQUIRE(out.groups[0].sequences[1].parts == std::vector<double>{1});
}

namespace {

rl::ScoredSample cut_off(double value, int64_t index) {
  auto s = sample(value);
  s.record.finish = rollout::FinishReason::length;
  s.record.sample_index = index;
  return s;
}

rl::ScoredSample whole(double value, int64_t index) {
  auto s = sample(value);
  s.record.sample_index = index;
  return s;
}

}  // namespace

TEST_CASE("a masked completion is not trained, but its reward stays in the baseline", "[training_groups]") {
  rl::StageConfig stage;
  stage.filter.truncated = "mask";
  stage.advantage.scale = "none";
  auto out = rl::training_groups({group_of({cut_off(1, 0), whole(0, 1), whole(0.5, 2)})}, stage);
  auto& members = out.groups.at(0).sequences;
  REQUIRE(members.size() == 3);
  REQUIRE(members[0].trained == std::vector<uint8_t>{0, 0, 0});
  REQUIRE(members[1].trained == std::vector<uint8_t>{1, 0, 1});
  rl::assign_advantages(out.groups, stage.advantage, {}, {});
  REQUIRE(members[1].advantage == -0.5);  // 0 - (1 + 0 + 0.5) / 3
  REQUIRE(members[2].advantage == 0.0);
  REQUIRE((members[0].drawn == 2 && members[1].drawn == 2));  // baselines by length count it too
  REQUIRE(rl::weigh_tokens(out.groups, stage.loss) == 4);  // two tokens of each of the two
}

TEST_CASE("a dropped completion leaves its group and its baseline", "[training_groups]") {
  rl::StageConfig stage;
  stage.filter.truncated = "drop";
  stage.advantage.scale = "none";
  const auto groups = std::vector{group_of({cut_off(1, 0), whole(0, 1), whole(0.5, 2)})};
  auto out = rl::training_groups(groups, stage);
  auto& members = out.groups.at(0).sequences;
  REQUIRE(members.size() == 2);
  rl::assign_advantages(out.groups, stage.advantage, {}, {});
  REQUIRE(members[0].advantage == -0.25);  // 0 - (0 + 0.5) / 2
  REQUIRE(members[1].advantage == 0.25);
  // The dump still puts each advantage beside its own completion.
  const auto advantages = rl::advantages_of(groups, out.groups);
  REQUIRE(std::isnan(advantages[0][0]));
  REQUIRE(advantages[0][1] == -0.25);
  REQUIRE(advantages[0][2] == 0.25);
  // One member left, and nothing to compare it with.
  REQUIRE(rl::training_groups({group_of({cut_off(1, 0), whole(0, 1)})}, stage).dropped == 1);
}

TEST_CASE("a group whose completions were all cut off teaches nothing once they are masked", "[training_groups]") {
  rl::StageConfig stage;
  const auto group = group_of({cut_off(1, 0), cut_off(0, 1)});
  REQUIRE(rl::use_of(group, stage) == rl::GroupUse::learns);
  stage.filter.truncated = "mask";
  REQUIRE(rl::use_of(group, stage) == rl::GroupUse::none);
  REQUIRE(rl::training_groups({group}, stage).dropped == 1);
}

TEST_CASE("what a group is good for", "[training_groups]") {
  const rl::StageConfig stage;
  REQUIRE(rl::use_of(group_of({sample(1), sample(0)}), stage) == rl::GroupUse::learns);
  REQUIRE(rl::use_of(group_of({sample(1), sample(1)}), stage) == rl::GroupUse::equal);
  REQUIRE(rl::use_of(group_of({sample(1), sample(0, {}, Status::timeout)}), stage) == rl::GroupUse::none);
  auto left_out = group_of({sample(1), sample(0)});
  left_out.left_out = true;
  REQUIRE(rl::training_groups({left_out}, stage).dropped == 1);
}
