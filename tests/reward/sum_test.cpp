#include <limits>

#include "tests/reward/fake_reward.h"
#include "tests/reward/support.h"

using reward::Outcome;
using reward::Status;

namespace {

struct Part {
  double weight;
  bool gate;
  std::vector<Outcome> outcomes;  // one an item that it applies to
  std::string role = "", on_error = "drop_sample";
  std::vector<std::string> applies_to = {};
};

std::unique_ptr<reward::Sum> sum_of(const std::vector<Part>& parts, double low = -1e300, double high = 1e300) {
  std::vector<std::pair<reward::Settings, std::unique_ptr<reward::Reward>>> made;
  for (const auto& part : parts) {
    reward::Settings settings;
    settings.name = "fake";
    settings.weight = part.weight;
    settings.role = !part.role.empty() ? part.role : part.gate ? "gate" : "sum";
    settings.on_error = part.on_error;
    settings.applies_to = part.applies_to;
    made.emplace_back(settings, std::make_unique<FakeReward>([part](const auto&, auto) { return part.outcomes; }));
  }
  return reward::make_sum(std::move(made), low, high);
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
  REQUIRE_THROWS_WITH(sum_of({{1, true, {one(1)}}}), Catch::Matchers::Contains("role = \"sum\""));
  REQUIRE(sum_of({{1, false, {}}})->self_test() == "fake: the fake is broken");
  REQUIRE(sum_of({{1, false, {}}})->check_answer("bad") == "fake: bad gold");
  REQUIRE(sum_of({{1, false, {}}})->check_answer("good").empty());
}

TEST_CASE("a metric is logged and changes nothing, not even when it fails", "[sum]") {
  const auto got = total({{1, false, {one(0.5)}}, {9, false, {one(3)}, "metric"}});
  CHECK((got.status == Status::scored && got.value == 0.5));
  CHECK(got.components.back() == std::pair<std::string, double>{"fake_2", 3.0});
  for (const auto status : {Status::not_applicable, Status::timeout, Status::infra_error, Status::no_answer}) {
    const auto beside = total({{1, false, {one(0.5)}}, {9, false, {outcome(status)}, "metric", "abort"}});
    CHECK((beside.status == Status::scored && beside.value == 0.5));
  }
}

TEST_CASE("what failed is told by part, and a failure may count as 0 or stop the run", "[sum]") {
  using Failed = std::vector<std::pair<std::string, Status>>;
  for (const auto status : {Status::timeout, Status::infra_error}) {
    const auto dropped = total({{1, false, {one(1)}}, {1, false, {outcome(status, 7)}}});
    CHECK(dropped.failed == Failed{{"fake_2", status}});
    CHECK_FALSE(dropped.abort);
    const auto zero = total({{1, false, {one(1)}}, {1, false, {outcome(status, 7)}, "", "zero"}});
    CHECK((zero.status == Status::scored && zero.value == 1.0 && zero.failed == Failed{{"fake_2", status}}));
    const auto gate = total({{1, false, {one(1)}}, {1, true, {outcome(status, 7)}, "", "zero"}});
    CHECK((gate.has_value() && gate.value == 0.0));
    const auto stops = total({{1, false, {one(1)}}, {1, false, {outcome(status)}, "", "abort"}});
    CHECK((stops.abort && !stops.has_value()));
  }
  // What does not apply is no failure of the checker: neither zeroed nor a reason to stop.
  const auto skipped = total({{1, false, {outcome(Status::not_applicable)}, "", "zero"}});
  CHECK(skipped.status == Status::not_applicable);
  CHECK_FALSE(total({{1, false, {outcome(Status::not_applicable)}, "", "abort"}}).abort);
}

TEST_CASE("rewards are routed by data source", "[sum]") {
  std::vector<reward::Item> items(4);
  const char* sources[] = {"gsm8k", "math500", "code", "math"};
  for (size_t i = 0; i < 4; ++i) items[i].data_source = sources[i];
  // The first part sees gsm8k alone, the second math500 and math; code has only the metric.
  const auto sum = sum_of({{1, false, {one(1)}, "", "drop_sample", {"gsm8k"}},
                           {2, false, {one(1), one(0.25)}, "", "drop_sample", {"math*"}},
                           {1, false, {one(5), one(6), one(7), one(8)}, "metric"}});
  const auto got = sum->score(items, no_deadline);
  CHECK((got[0].value == 1.0 && got[1].value == 2.0 && got[3].value == 0.5));
  CHECK((got[2].status == Status::not_applicable && got[2].reason == "no_reward_applies"));
  using Components = std::vector<std::pair<std::string, double>>;
  CHECK(got[1].components == Components{{"fake_2", 1.0}, {"fake_3", 6.0}});
  CHECK(got[0].failed.empty());
}

TEST_CASE("the total is clipped, and the parts are not", "[sum]") {
  const auto got = sum_of({{3, false, {one(1), one(-1), one(0.1)}}}, -0.5, 1)->score(std::vector<reward::Item>(3), no_deadline);
  CHECK((got[0].value == 1.0 && got[1].value == -0.5 && got[2].value == 3 * 0.1));
  CHECK(got[1].components[0].second == -1.0);
  CHECK_THROWS_WITH(sum_of({{1, false, {one(1)}}}, 1, 0), Catch::Matchers::Contains("empty"));
}

TEST_CASE("a sum tells how long its parts took, once", "[sum]") {
  const auto sum = sum_of({{1, false, {one(1)}}, {1, false, {}, "", "drop_sample", {"elsewhere"}}});
  sum->score({item("", "")}, no_deadline);
  sum->score({item("", "")}, no_deadline);
  const auto times = sum->take_times();
  REQUIRE(times.size() == 2);
  CHECK((times[0].name == "fake" && times[0].milliseconds.size() == 2));
  CHECK((times[1].name == "fake_2" && times[1].milliseconds.empty()));  // not called for what it does not apply to
  CHECK(sum->take_times()[0].milliseconds.empty());
}
