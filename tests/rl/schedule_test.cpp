#include "rl/schedule.h"

#include "tests/support/catch.h"

namespace {

rl::OptimizerConfig config(const char* schedule, int64_t warmup, double final_share = 0.0) {
  rl::OptimizerConfig c;
  c.lr = 0.5;
  c.schedule = schedule;
  c.warmup_steps = warmup;
  c.final_lr_share = final_share;
  return c;
}

}  // namespace

// lr 0.5, four warm-up steps: 1/4, 2/4, 3/4, 4/4 of it, then all of it.
TEST_CASE("the rate rises in equal steps, the first of which is not 0", "[schedule]") {
  const auto c = config("constant", 4);
  REQUIRE(rl::learning_rate(c, 0, 100) == 0.125);
  REQUIRE(rl::learning_rate(c, 1, 100) == 0.25);
  REQUIRE(rl::learning_rate(c, 2, 100) == 0.375);
  REQUIRE(rl::learning_rate(c, 3, 100) == 0.5);
  REQUIRE(rl::learning_rate(c, 99, 100) == 0.5);
  REQUIRE(rl::learning_rate(config("constant", 0), 0, 100) == 0.5);
}

// 1 - (1 - f) * step / steps with f = 0.2: step 5 of 10: 1 - 0.8 / 2 = 0.6.
TEST_CASE("linear decay falls to its share", "[schedule]") {
  const auto c = config("linear", 0, 0.2);
  REQUIRE(rl::learning_rate(c, 0, 10) == Approx(0.5));
  REQUIRE(rl::learning_rate(c, 5, 10) == Approx(0.5 * 0.6));
  REQUIRE(rl::learning_rate(c, 10, 10) == Approx(0.5 * 0.2));
}

// f + (1 - f) (1 + cos(pi step / steps)) / 2: a third of the way cos = 1/2, so 0.2 + 0.8 * 0.75 = 0.8; half way 0.6.
TEST_CASE("cosine decay by hand", "[schedule]") {
  const auto c = config("cosine", 0, 0.2);
  REQUIRE(rl::learning_rate(c, 0, 12) == Approx(0.5));
  REQUIRE(rl::learning_rate(c, 4, 12) == Approx(0.5 * 0.8));
  REQUIRE(rl::learning_rate(c, 6, 12) == Approx(0.5 * 0.6));
  REQUIRE(rl::learning_rate(c, 12, 12) == Approx(0.5 * 0.2));
}

// Four warm-up steps of 16 leave 12: a third of the way through them is step 8.
TEST_CASE("cosine decay begins when the warm-up is over", "[schedule]") {
  const auto c = config("cosine", 4, 0.2);
  REQUIRE(rl::learning_rate(c, 1, 16) == Approx(0.25));
  REQUIRE(rl::learning_rate(c, 4, 16) == Approx(0.5));
  REQUIRE(rl::learning_rate(c, 8, 16) == Approx(0.5 * 0.8));
  REQUIRE(rl::learning_rate(c, 16, 16) == Approx(0.5 * 0.2));
}

// Warm-up and decay multiply: step 1 of 10, two of four warm-up steps: 0.5 * 0.5 * (1 - 0.1).
TEST_CASE("linear decay counts from the first step, through the warm-up", "[schedule]") {
  REQUIRE(rl::learning_rate(config("linear", 4), 1, 10) == Approx(0.5 * 0.5 * 0.9));
}
