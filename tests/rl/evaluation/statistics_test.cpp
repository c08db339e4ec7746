#include "rl/evaluation/statistics.h"

#include <cmath>

#include "kernels/error.h"
#include "tests/support/catch.h"

using Catch::Matchers::WithinAbs;

TEST_CASE("pass@k is the chance that k of n samples, drawn without putting back, hold a right one", "[eval]") {
  // n 5, c 2, k 3: 1 - C(3,3)/C(5,3) = 1 - 1/10.   n 4, c 1, k 2: 1 - C(3,2)/C(4,2) = 1 - 3/6.
  REQUIRE_THAT(rl::pass_at_k(5, 2, 3), WithinAbs(0.9, 1e-15));
  REQUIRE_THAT(rl::pass_at_k(4, 1, 2), WithinAbs(0.5, 1e-15));
  // k 1 is the plain share: 1 - C(7,1)/C(10,1) = 3/10.
  REQUIRE_THAT(rl::pass_at_k(10, 3, 1), WithinAbs(0.3, 1e-15));
  // n 200, c 1, k 100: one of 200 is in a half of them with chance 1/2.
  REQUIRE_THAT(rl::pass_at_k(200, 1, 100), WithinAbs(0.5, 1e-13));
  REQUIRE(rl::pass_at_k(4, 0, 4) == 0);
  REQUIRE(rl::pass_at_k(4, 3, 2) == 1);  // fewer than k wrong ones
  REQUIRE(rl::pass_at_k(4, 4, 1) == 1);
}

TEST_CASE("pass@k with k above n is refused, not guessed", "[eval]") {
  REQUIRE_THROWS_AS(rl::pass_at_k(4, 1, 5), kernels::Error);
  REQUIRE_THROWS_AS(rl::pass_at_k(4, 5, 1), kernels::Error);
  REQUIRE_THROWS_AS(rl::pass_at_k(4, 1, 0), kernels::Error);
}

TEST_CASE("the standard error divides by N - 1 and then by the root of N", "[eval]") {
  // 1,0,0,0: mean 1/4, variance (9 + 1 + 1 + 1)/16 / 3 = 1/4, deviation 1/2, over sqrt(4): 1/4.
  REQUIRE_THAT(rl::standard_error({1, 0, 0, 0}), WithinAbs(0.25, 1e-15));
  REQUIRE(rl::standard_error({0.7}) == 0);
  REQUIRE(rl::standard_error({0.7, 0.7, 0.7}) == 0);
  REQUIRE(rl::mean({}) == 0);
}

TEST_CASE("the noise within a run comes from the means of its runs", "[eval]") {
  // 0.2 and 0.4: deviation sqrt(0.01 + 0.01) = 0.1 sqrt(2), over sqrt(2): 0.1.
  REQUIRE_THAT(rl::within_run_noise({0.2, 0.4}), WithinAbs(0.1, 1e-15));
  REQUIRE(rl::within_run_noise({0.3}) == 0);
}

TEST_CASE("Wilson's interval keeps inside of 0 and 1 and is never empty", "[eval]") {
  // 5 of 10, z^2 = 3.8414588: middle 0.5 + 0.1920729, reach 1.9599640 sqrt(0.025 + 0.0096036) = 0.3645936,
  // both over 1.3841459: 0.2365931 and 0.7634069.
  const rl::Interval half = rl::wilson_interval(0.5, 10);
  REQUIRE_THAT(half.low, WithinAbs(0.2365931, 1e-6));
  REQUIRE_THAT(half.high, WithinAbs(0.7634069, 1e-6));
  // 0 of 10: from 0 to z^2/(10 + z^2) = 3.8414588/13.8414588.
  const rl::Interval none = rl::wilson_interval(0, 10);
  REQUIRE_THAT(none.low, WithinAbs(0, 1e-15));
  REQUIRE_THAT(none.high, WithinAbs(3.841458820694124 / 13.841458820694124, 1e-12));
}

TEST_CASE("a percentile is a value that was seen, by nearest rank", "[eval]") {
  std::vector<double> values;
  for (int i = 20; i >= 1; --i) values.push_back(i);
  REQUIRE(rl::percentile(values, 0.95) == 19);  // 19 of 20 are 95 %
  REQUIRE(rl::percentile(values, 1.0) == 20);
  REQUIRE(rl::percentile(values, 0.01) == 1);
  REQUIRE(rl::percentile({5}, 0.95) == 5);
  REQUIRE(rl::percentile({1, 2}, 0.95) == 2);
  REQUIRE(rl::percentile({}, 0.95) == 0);
}

TEST_CASE("the bootstrap draws problems, and equal seeds give equal intervals", "[eval]") {
  const rl::Interval constant = rl::bootstrap_interval({0.3, 0.3, 0.3}, 1);
  REQUIRE(constant.low == 0.3);
  REQUIRE(constant.high == 0.3);
  // Of {0, 1} two draws have the mean 0 or 1 with chance 1/4 each: both ends are in the 95 %.
  const rl::Interval two = rl::bootstrap_interval({0, 1}, 1);
  REQUIRE(two.low == 0);
  REQUIRE(two.high == 1);
  // 100 problems, half right: the mean's deviation is 0.05, so the interval is near 0.5 -+ 0.098, in steps of 0.01.
  std::vector<double> half(100, 0.0);
  std::fill(half.begin(), half.begin() + 50, 1.0);
  const rl::Interval many = rl::bootstrap_interval(half, 7);
  REQUIRE_THAT(many.low, WithinAbs(0.402, 0.0125));
  REQUIRE_THAT(many.high, WithinAbs(0.598, 0.0125));
  const rl::Interval again = rl::bootstrap_interval(half, 7);
  REQUIRE(many.low == again.low);
  REQUIRE(many.high == again.high);
  // Per-problem values that are no steps of 1/100 tell two seeds apart.
  std::vector<double> ramp;
  for (int i = 0; i < 37; ++i) ramp.push_back(std::sqrt(i));
  REQUIRE(rl::bootstrap_interval(ramp, 7).low != rl::bootstrap_interval(ramp, 8).low);
}

TEST_CASE("the permutation test counts every pattern of signs", "[eval]") {
  // Three wins: of 8 patterns only +++ and --- reach |3|.
  REQUIRE_THAT(rl::sign_flip_p({1, 1, 1}, 1), WithinAbs(2.0 / 8, 1e-15));
  // Two wins and a loss, sum 1: every pattern has an odd sum, so all 8 reach it.
  REQUIRE_THAT(rl::sign_flip_p({1, 1, -1}, 1), WithinAbs(1, 1e-15));
  // Six wins, one loss (McNemar): 2 (C(7,0) + C(7,1)) / 2^7 = 16/128.
  REQUIRE_THAT(rl::sign_flip_p({1, 1, 1, 1, 1, 1, -1}, 1), WithinAbs(16.0 / 128, 1e-15));
  // Sizes count: steps 1, 1, 2 of 1/2, sum 4, reached by 2 of 8 patterns; with a loss of 1/2 (sum 2): +++ +-+ -++ and their
  // mirrors reach |2|, and ++- and --+ have the sum 0: 6 of 8.
  REQUIRE_THAT(rl::sign_flip_p({0.5, 0.5, 1}, 2), WithinAbs(2.0 / 8, 1e-15));
  REQUIRE_THAT(rl::sign_flip_p({-0.5, 0.5, 1}, 2), WithinAbs(6.0 / 8, 1e-15));
  // Ties say nothing.
  REQUIRE(rl::sign_flip_p({0, 0, 0}, 1) == 1);
  REQUIRE_THAT(rl::sign_flip_p({0, 1, 0, 1, 0, 1}, 1), WithinAbs(2.0 / 8, 1e-15));
  REQUIRE(rl::sign_flip_p({}, 1) == 1);
}

TEST_CASE("a paired comparison works on the differences, problem by problem", "[eval]") {
  // d = 1, 0, 1, -1: mean 1/4; squares of the rests 9/16, 1/16, 9/16, 25/16 add up to 44/16; variance 44/48, over 4: 11/48.
  const auto c = rl::compare_pairs({0, 1, 0, 1}, {1, 1, 1, 0}, 1);
  REQUIRE(c.problems == 4);
  REQUIRE_THAT(c.difference, WithinAbs(0.25, 1e-15));
  REQUIRE_THAT(c.standard_error, WithinAbs(std::sqrt(11.0 / 48), 1e-15));
  REQUIRE_THAT(c.interval.high - c.interval.low, WithinAbs(2 * 1.959963984540054 * std::sqrt(11.0 / 48), 1e-12));
  REQUIRE(c.better == 0.5);
  REQUIRE(c.worse == 0.25);
  REQUIRE_THAT(c.p_value, WithinAbs(1, 1e-15));
  // Alike in every problem: no difference and no error, though each of them varies.
  const auto same = rl::compare_pairs({0, 1, 0.5}, {0, 1, 0.5}, 2);
  REQUIRE(same.difference == 0);
  REQUIRE(same.standard_error == 0);
  REQUIRE(same.p_value == 1);
  REQUIRE_THROWS_AS(rl::compare_pairs({0}, {0, 1}, 1), kernels::Error);
}
