#include "rl/alarms.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "tests/support/catch.h"

namespace {

rl::AlarmConfig entropy_below_one(int64_t window) {
  rl::AlarmConfig config;
  config.window_steps = window;
  config.entropy_low = 1;
  return config;
}

struct Watched {
  rl::AlarmConfig config;
  rl::AlarmState state = {};
  std::vector<rl::Alarm> add(const rl::Metrics& metrics) { return rl::watch_metrics(state, config, metrics); }
};

std::vector<rl::Alarm> step(Watched& alarms, double entropy) { return alarms.add({{"entropy", entropy}}); }

}  // namespace

TEST_CASE("an alarm begins when the window's mean leaves its bound, and ends when all of the window is back", "[alarms]") {
  Watched alarms{entropy_below_one(2)};
  CHECK(step(alarms, 0.0).empty());        // one step of two
  CHECK(step(alarms, 3.0).empty());        // mean 1.5
  const auto begun = step(alarms, -1.5);   // mean 0.75
  REQUIRE(begun.size() == 1);
  CHECK(begun[0].metric == "entropy");
  CHECK(begun[0].value == 0.75);
  CHECK_FALSE(begun[0].over);
  CHECK(begun[0].text(2) == "entropy is 0.75, below 1, over the last 2 steps");
  CHECK(step(alarms, 2.0).empty());        // mean 0.25: still on, told once
  const auto ended = step(alarms, 2.0);    // mean 2
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].over);
}

TEST_CASE("a metric that stays near its bound alarms once", "[alarms]") {
  Watched alarms{entropy_below_one(2)};
  step(alarms, 0.9);
  CHECK(step(alarms, 0.9).size() == 1);
  for (const double entropy : {1.2, 0.9, 1.2, 0.95}) CHECK(step(alarms, entropy).empty());  // means 1.05, 1.05, 1.05, 1.075
  CHECK(step(alarms, 1.1).empty());
  CHECK(step(alarms, 1.1).size() == 1);
}

TEST_CASE("metrics that are not there, not finite, or without a bound give no alarm", "[alarms]") {
  Watched alarms{entropy_below_one(1)};
  CHECK(alarms.add({{"kl", 1e9}}).empty());
  CHECK(step(alarms, std::nan("")).empty());
  CHECK(alarms.add({{"completions/clipped_ratio", 0.95}}).size() == 1);   // on by default: above 0.9
}

TEST_CASE("an alarm's window, and that it was told, go through a checkpoint", "[alarms]") {
  Watched alarms{entropy_below_one(2)};
  const auto stopped_and_resumed = [&] { alarms.state = rl::alarms_from(nlohmann::ordered_json::parse(rl::to_json(alarms.state).dump())); };
  CHECK(step(alarms, 0.1).empty());
  stopped_and_resumed();
  const auto begun = step(alarms, 0.2);
  REQUIRE(begun.size() == 1);
  CHECK(begun[0].value == (0.1 + 0.2) / 2);
  stopped_and_resumed();
  CHECK(step(alarms, 0.2).empty());  // still on
  step(alarms, std::nan(""));
  stopped_and_resumed();
  CHECK(std::isnan(alarms.state.last.at("entropy").back()));
}

TEST_CASE("a collapse, groups that teach nothing and failing rewards alarm by default", "[alarms]") {
  for (const auto& [metric, value] : rl::Metrics{{"entropy", 0.04}, {"frac_reward_zero_std", 0.95}, {"completions/error_share", 0.03}}) {
    Watched alarms{{.window_steps = 1}};
    const auto begun = alarms.add({{metric, value}});
    REQUIRE(begun.size() == 1);
    CHECK(begun[0].metric == metric);
    CHECK(alarms.config.action == "warn");
  }
  Watched alarms{{.window_steps = 1}};
  CHECK(alarms.add({{"entropy", 0.06}, {"frac_reward_zero_std", 0.85}, {"completions/error_share", 0.01}}).empty());
}

TEST_CASE("the repetition share counts 4-grams that came before", "[alarms]") {
  // 1 2 3 4 1 2 3 4: five 4-grams, of which only the last, 1234, came before: 1/5.
  CHECK(rl::repetition_share({1, 2, 3, 4, 1, 2, 3, 4}) == Approx(0.2));
  // Ten equal tokens: seven 4-grams, six of them again.
  CHECK(rl::repetition_share(std::vector<int32_t>(10, 5)) == Approx(6.0 / 7));
  CHECK(rl::repetition_share({1, 1, 1, 1, 1, 1, 1}) == 0);
}
