#include "rl/loss/correction.h"

#include <cmath>

#include "rl/loss/entropy_bonus.h"
#include "tests/support/catch.h"

namespace {

// Two tokens with w = 4 and 1/8, one untrained between them.
std::vector<rl::TrainGroup> one_group() {
  rl::TrainSequence s;
  s.tokens = {1, 2, 3};
  s.trained = {1, 0, 1};
  s.logprobs = {-2.0f, 0.0f, -1.0f};
  s.old_logprobs = {-2.0f + std::log(4.0f), 0.0f, -1.0f - std::log(8.0f)};
  return {{0, {9}, {s}}};
}

rl::CorrectionConfig config(const char* mode, double lower = 0, double upper = 2) {
  rl::CorrectionConfig c;
  c.mode = mode, c.lower = lower, c.upper = upper;
  return c;
}

std::vector<float> corrected(const rl::CorrectionConfig& c, rl::CorrectionSums* sums = nullptr) {
  auto groups = one_group();
  const auto got = rl::correct_for_sampler(groups, c);
  if (sums != nullptr) *sums = got;
  return groups[0].sequences[0].corrections;
}

void require_near(const std::vector<float>& got, const std::vector<double>& wanted) {
  REQUIRE(got.size() == wanted.size());
  for (size_t i = 0; i < got.size(); ++i) REQUIRE(got[i] == Approx(wanted[i]).epsilon(1e-6));
}

}  // namespace

TEST_CASE("truncation cuts the factor to its bounds", "[correction]") {
  rl::CorrectionSums sums;
  require_near(corrected(config("truncate"), &sums), {2, 0, 0.125});
  REQUIRE(sums.tokens == 2);
  REQUIRE(sums.dropped == 0);
  REQUIRE(sums.sum == Approx(2.125));
  require_near(corrected(config("truncate", 0.5)), {2, 0, 0.5});
}

TEST_CASE("a mask drops tokens outside and keeps the others' factor", "[correction]") {
  rl::CorrectionSums sums;
  require_near(corrected(config("mask", 0.1, 2), &sums), {0, 0, 0.125});
  REQUIRE(sums.dropped == 1);
}

// The product is 4 / 8 = 1/2.
TEST_CASE("a sequence mask takes the whole completion's product", "[correction]") {
  require_near(corrected(config("seq_mask", 0, 2)), {0.5, 0, 0.5});
  require_near(corrected(config("seq_mask", 0.6, 2)), {0, 0, 0});
}

TEST_CASE("without a mode there are no factors", "[correction]") { REQUIRE(corrected(config("off")).empty()); }

// Skywork-OR1: toward a target of 1 by steps of 0.1, at most 0.15.
TEST_CASE("the entropy bonus works below its target and rests above", "[entropy_bonus]") {
  rl::LossConfig loss;
  loss.entropy_target = 1, loss.entropy_coef_delta = 0.1, loss.entropy_coef_max = 0.15;
  rl::EntropyBonus bonus(0.02);
  REQUIRE(bonus.applied(loss) == 0);  // no update yet
  bonus.after_update(loss, 0.9);
  REQUIRE(bonus.applied(loss) == Approx(0.12));
  bonus.after_update(loss, 0.9);
  REQUIRE(bonus.applied(loss) == 0.15);
  bonus.after_update(loss, 1.1);
  REQUIRE(bonus.applied(loss) == 0);
  REQUIRE(bonus.coef == Approx(0.05));
  bonus.after_update(loss, 1.1);
  REQUIRE(bonus.coef == 0);
  loss.entropy_target = 0, loss.entropy_coef = 0.3;
  REQUIRE(bonus.applied(loss) == 0.3);
}
