#include <limits>

#include "tests/reward/fake_reward.h"
#include "tests/reward/support.h"

using reward::Outcome;
using reward::Status;

namespace {

struct Part {
  double weight;
  bool gate;
  std::vector<Outcome> outcomes;  // one an item
};

std::unique_ptr<reward::Reward> sum_of(const std::vector<Part>& parts) {
  std::vector<std::pair<reward::Settings, std::unique_ptr<reward::Reward>>> made;
  for (const auto& part : parts) {
    reward::Settings settings;
    settings.name = "fake";
    settings.weight = part.weight;
    settings.gate = part.gate;
    made.emplace_back(settings, std::make_unique<FakeReward>([part](const auto&, auto) { return part.outcomes; }));
  }
  return reward::make_sum(std::move(made));
}

Outcome total(const std::vector<Part>& parts) { return score_one(*sum_of(parts), item("", "")); }
Outcome one(double value) { return outcome(Status::scored, value); }

}  // namespace

TEST_CASE("a sum weighs its parts and keeps their own values", "[sum]") {
  // 2 * 0.5 + 0.25 * 1 + -1 * 0.125 = 1.125
  const auto got = total({{2, false, {one(0.5)}}, {0.25, false, {one(1)}}, {-1, false, {one(0.125)}}});
  REQUIRE(got.status == Status::scored);
  REQUIRE(got.value == 1.125);
  using Components = std::vector<std::pair<std::string, double>>;
  REQUIRE(got.components == Components{{"fake", 0.5}, {"fake_2", 1.0}, {"fake_3", 0.125}});
}

TEST_CASE("a gate that is 0 makes the sum 0, and its weight and size play no part", "[sum]") {
  REQUIRE(total({{1, false, {one(0.5)}}, {9, true, {one(0)}}}).value == 0.0);
  REQUIRE(total({{1, false, {one(0.5)}}, {9, true, {one(0.1)}}}).value == 0.5);
  REQUIRE(total({{1, false, {one(0.5)}}, {1, true, {one(1)}}, {1, true, {one(0)}}}).value == 0.0);
  REQUIRE(total({{1, false, {one(0.5)}}, {1, true, {one(-1)}}}).value == 0.0);
  REQUIRE(total({{1, true, {one(0)}}, {1, false, {one(-0.5)}}}).value == 0.0);
}

TEST_CASE("a part without a value leaves the whole without one, even behind a closed gate", "[sum]") {
  for (const auto status : {Status::not_applicable, Status::timeout, Status::infra_error}) {
    const auto got = total({{1, false, {one(1)}}, {1, true, {one(0)}}, {0, false, {outcome(status, 7)}}});
    CHECK(got.status == status);
    CHECK_FALSE(got.has_value());
    CHECK(got.value == 0.0);
    CHECK(got.components.size() == 2);  // those that have a value
  }
  REQUIRE(total({{1, false, {one(1)}}, {1, false, {outcome(Status::timeout)}}}).value == 0.0);
  const Part skipped{1, false, {outcome(Status::not_applicable)}}, late{1, false, {outcome(Status::timeout)}};
  const Part failed{1, false, {outcome(Status::infra_error)}};
  REQUIRE(total({late, failed}).status == Status::infra_error);
  REQUIRE(total({late, skipped}).status == Status::timeout);
}

TEST_CASE("no answer in one part counts 0 there and is told of the whole", "[sum]") {
  const auto got = total({{1, false, {outcome(Status::no_answer)}}, {0.1, false, {one(1)}}});
  REQUIRE(got.status == Status::no_answer);
  REQUIRE(got.has_value());
  REQUIRE(got.value == 0.1);
}

TEST_CASE("parts without values touch only their own items of a group", "[sum]") {
  // Four completions of one prompt; the second part has values for two of them.
  const std::vector<Outcome> all = {one(1), one(0), one(1), one(0)};
  const std::vector<Outcome> some = {one(1), outcome(Status::timeout), one(0), outcome(Status::infra_error)};
  const auto got = sum_of({{1, false, all}, {1, false, some}})->score(std::vector<reward::Item>(4), no_deadline);
  REQUIRE(got.size() == 4);
  REQUIRE((got[0].has_value() && got[0].value == 2.0));
  REQUIRE(got[1].status == Status::timeout);
  REQUIRE((got[2].has_value() && got[2].value == 1.0));
  REQUIRE(got[3].status == Status::infra_error);
}

TEST_CASE("a part that breaks its contract is an infra_error, never a number", "[sum]") {
  for (const double value : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    CHECK(total({{1, false, {one(value)}}}).status == Status::infra_error);
  REQUIRE(total({{1, false, {}}}).status == Status::infra_error);
  REQUIRE(total({{1, false, {one(1), one(1)}}}).status == Status::infra_error);
  reward::Settings settings;
  std::vector<std::pair<reward::Settings, std::unique_ptr<reward::Reward>>> parts;
  parts.emplace_back(settings, std::make_unique<FakeReward>([](const auto&, auto) -> std::vector<Outcome> {
                       throw std::runtime_error("socket closed");
                     }));
  const auto got = score_one(*reward::make_sum(std::move(parts)), item("", ""));
  REQUIRE(got.status == Status::infra_error);
  REQUIRE_THAT(got.detail, Catch::Matchers::Contains("socket closed"));
}

TEST_CASE("each part has its own time-out, within the caller's deadline", "[sum]") {
  const auto now = std::chrono::steady_clock::now();
  std::vector<FakeReward::Deadline> seen;
  std::vector<std::pair<reward::Settings, std::unique_ptr<reward::Reward>>> parts;
  for (const int64_t timeout_ms : {60000, 3600000}) {
    reward::Settings settings;
    settings.timeout_ms = timeout_ms;
    parts.emplace_back(settings, std::make_unique<FakeReward>([&](const auto&, auto deadline) {
                         seen.push_back(deadline);
                         return std::vector<Outcome>{one(1)};
                       }));
  }
  reward::make_sum(std::move(parts))->score({item("", "")}, now + std::chrono::minutes(30));
  REQUIRE(seen.size() == 2);
  REQUIRE(seen[0] >= now + std::chrono::minutes(1));
  REQUIRE(seen[0] < now + std::chrono::minutes(30));
  REQUIRE(seen[1] == now + std::chrono::minutes(30));
}

TEST_CASE("a sum needs an entry that is not a gate, and tells whose check failed", "[sum]") {
  REQUIRE_THROWS_AS(reward::make_sum({}), reward::Error);
  REQUIRE_THROWS_WITH(sum_of({{1, true, {one(1)}}}), Catch::Matchers::Contains("gate"));
  REQUIRE(sum_of({{1, false, {}}})->self_test() == "fake: the fake is broken");
  REQUIRE(sum_of({{1, false, {}}})->check_answer("bad") == "fake: bad gold");
  REQUIRE(sum_of({{1, false, {}}})->check_answer("good").empty());
}
