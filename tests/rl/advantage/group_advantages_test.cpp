#include "rl/advantage/group_advantages.h"

#include <cmath>

#include "kernels/error.h"
#include "tests/support/catch.h"

using rl::AdvantageConfig;
using rl::group_advantages;

namespace {

void require_near(const std::vector<double>& got, const std::vector<double>& wanted, double tolerance = 1e-12) {
  REQUIRE(got.size() == wanted.size());
  for (size_t i = 0; i < got.size(); ++i) {
    INFO("completion " << i);
    REQUIRE(std::abs(got[i] - wanted[i]) <= tolerance);
  }
}

AdvantageConfig config(const char* baseline, const char* scale, const char* std = "unbiased", double eps = 0.0) {
  AdvantageConfig c;
  c.baseline = baseline;
  c.scale = scale;
  c.std = std;
  c.eps = eps;
  return c;
}

}  // namespace

// DeepSeekMath, arXiv:2402.03300, section 4.1.2. Rewards 1, 0, 0, 1: mean 1/2, squares 4 * 1/4 = 1;
// std sqrt(1 / 3) unbiased, sqrt(1 / 4) = 1/2 population. A = +-(1/2) / std = +-0.8660254 or +-1.
TEST_CASE("one group by hand: two right, two wrong", "[advantage]") {
  const double a = std::sqrt(3.0) / 2;
  require_near(group_advantages({1, 0, 0, 1}, config("group_mean", "group_std")), {a, -a, -a, a});
  require_near(group_advantages({1, 0, 0, 1}, config("group_mean", "group_std", "population")), {1, -1, -1, 1});
}

// Rewards 3, 1, 2: mean 2, squares 2; unbiased std 1. With eps = 1: (3 - 2) / (1 + 1) = 0.5.
TEST_CASE("eps is added to the deviation", "[advantage]") {
  require_near(group_advantages({3, 1, 2}, config("group_mean", "group_std", "unbiased", 1.0)), {0.5, -0.5, 0.0});
}

// Dr. GRPO, arXiv:2503.20783, Eq. 3: A = R - mean. Rewards 3, 1, 2 - mean 2. eps plays no part.
TEST_CASE("without scaling the advantage is the distance to the mean", "[advantage]") {
  require_near(group_advantages({3, 1, 2}, config("group_mean", "none", "unbiased", 5.0)), {1, -1, 0});
}

// RLOO, arXiv:2402.14740: A_i = R_i - mean of the others. Rewards 1, 0, 0, 3:
// 1 - 3/3 = 0, 0 - 4/3, 0 - 4/3, 3 - 1/3 = 8/3.
TEST_CASE("leave one out compares with the mean of the others", "[advantage]") {
  require_near(group_advantages({1, 0, 0, 3}, config("leave_one_out", "none")), {0, -4.0 / 3, -4.0 / 3, 8.0 / 3});
}

TEST_CASE("without a baseline the rewards stay", "[advantage]") {
  require_near(group_advantages({1, 0, 0.5}, config("none", "none")), {1, 0, 0.5});
}

TEST_CASE("equal rewards give exactly 0, whatever their value", "[advantage]") {
  for (const double reward : {0.0, 1.0, 0.1, -0.7, 1e300})
    for (const size_t size : {2, 3, 7, 10})  // ten times 0.1 is not 1
      for (const char* baseline : {"group_mean", "leave_one_out"})
        for (const char* scale : {"group_std", "none"})
          for (const double eps : {1e-6, 1e-300}) {
            INFO(size << " rewards of " << reward << ", " << baseline << ", " << scale);
            for (const double a : group_advantages(std::vector<double>(size, reward), config(baseline, scale, "unbiased", eps)))
              REQUIRE(a == 0.0);
          }
}

TEST_CASE("a constant added to all rewards of a group changes no advantage", "[advantage]") {
  const std::vector<double> rewards = {0.25, 1.5, -0.75, 2.0, 0.0};
  for (const char* baseline : {"group_mean", "leave_one_out"})
    for (const char* scale : {"group_std", "none"}) {
      auto raised = rewards;
      for (double& r : raised) r += 8.0;  // all sums stay exact
      require_near(group_advantages(raised, config(baseline, scale)), group_advantages(rewards, config(baseline, scale)));
    }
}

TEST_CASE("a group of one has nothing to compare with", "[advantage]") {
  REQUIRE_THROWS_AS(group_advantages({1.0}, {}), kernels::Error);
  REQUIRE_THROWS_WITH(group_advantages({1.0}, {}), Catch::Contains("group of 1"));
}

// 1, 2, 3, 6: mean 3, squares 4 + 1 + 0 + 9 = 14; std sqrt(14 / 3) and sqrt(14 / 4).
TEST_CASE("moments by hand", "[advantage]") {
  const auto m = rl::moments_of({1, 2, 3, 6});
  REQUIRE(m.mean == 3.0);
  REQUIRE(m.unbiased_std == Approx(std::sqrt(14.0 / 3)).epsilon(1e-14));
  REQUIRE(m.population_std == Approx(std::sqrt(3.5)).epsilon(1e-14));
  REQUIRE(rl::moments_of({}).mean == 0.0);
  REQUIRE(rl::moments_of({4.0}).unbiased_std == 0.0);
}

// OPO, arXiv:2505.23585: rewards 1 and 0 of 3 and 1 tokens: baseline 3 * 1 / 4.
TEST_CASE("a long completion weighs more in a length-weighted baseline", "[advantage]") {
  require_near(group_advantages({1, 0}, config("length_weighted", "none"), {3, 1}), {0.25, -0.75});
  for (const double a : group_advantages({0.1, 0.1, 0.1}, config("length_weighted", "none"), {3, 1, 7})) REQUIRE(a == 0.0);
}

// MaxRL: rewards 1, 0, 0, 0: (1 - 1/4) / (1/4) = 3 and -1.
TEST_CASE("MaxRL divides by the mean reward, so rare successes count more", "[advantage]") {
  require_near(group_advantages({1, 0, 0, 0}, config("group_mean", "group_mean")), {3, -1, -1, -1});
  require_near(group_advantages({0, 0, 0}, config("group_mean", "group_mean")), {0, 0, 0});
  REQUIRE_THROWS_WITH(group_advantages({-1, 0}, config("group_mean", "group_mean")), Catch::Contains("0 or more"));
}

// The step's rewards are 1, 0, 0, 3: mean 1, squares 0 + 1 + 1 + 4 = 6, unbiased std sqrt(2).
TEST_CASE("mean and deviation of the whole step", "[advantage]") {
  const auto batch = rl::moments_of({1, 0, 0, 3});
  const double root = std::sqrt(2.0);
  require_near(group_advantages({1, 0}, config("group_mean", "batch_std"), {}, batch), {0.5 / root, -0.5 / root});
  require_near(group_advantages({1, 0}, config("batch_mean", "batch_std"), {}, batch), {0, -1 / root});
  require_near(group_advantages({3}, config("batch_mean", "none"), {}, batch), {2});  // alone in its group
}
