#include "rl/advantage/step_advantages.h"

#include <cmath>

#include "kernels/error.h"
#include "tests/support/catch.h"

namespace {

// A completion of `tokens` trained tokens.
rl::TrainSequence sequence(double reward, size_t tokens = 1, std::vector<double> parts = {}) {
  rl::TrainSequence s;
  s.reward = reward, s.parts = std::move(parts);
  s.tokens.assign(tokens, 7), s.trained.assign(tokens, 1), s.logprobs.assign(tokens, -1.0f);
  return s;
}

rl::AdvantageConfig plain() {
  rl::AdvantageConfig c;
  c.scale = "none", c.eps = 0;
  return c;
}

std::vector<double> advantages_of(std::vector<rl::TrainGroup> groups, const rl::AdvantageConfig& config,
                                  const rl::KlConfig& kl = {}, const std::vector<double>& weights = {}) {
  rl::assign_advantages(groups, config, kl, weights);
  std::vector<double> all;
  for (const auto& g : groups)
    for (const auto& s : g.sequences) {
      if (s.advantages.empty()) all.push_back(s.advantage);
      else all.insert(all.end(), s.advantages.begin(), s.advantages.end());
    }
  return all;
}

void require_near(const std::vector<double>& got, const std::vector<double>& wanted) {
  REQUIRE(got.size() == wanted.size());
  for (size_t i = 0; i < got.size(); ++i) REQUIRE(got[i] == Approx(wanted[i]).margin(1e-7));
}

// Two groups: 3, 1 and 0, 0; differences to the means 1, -1, 0, 0.
std::vector<rl::TrainGroup> two_groups() { return {{0, {1}, {sequence(3), sequence(1)}}, {1, {1}, {sequence(0), sequence(0)}}}; }

// Old minus reference log-probability: 0.5 and 0.25 for the first completion's tokens, 0 for the second's.
std::vector<rl::TrainGroup> with_reference() {
  std::vector<rl::TrainGroup> groups = {{0, {1}, {sequence(1, 2), sequence(0, 2)}}};
  groups[0].sequences[0].reference_logprobs = {-1.5f, -1.25f};
  groups[0].sequences[1].reference_logprobs = {-1.0f, -1.0f};
  return groups;
}

rl::KlConfig penalty(const char* where) {
  rl::KlConfig kl;
  kl.coef = 0.4, kl.where = where, kl.value = "k1";
  return kl;
}

}  // namespace

// Squares 1 + 1 + 0 + 0 = 2 around mean 0: population std sqrt(1/2).
TEST_CASE("whitening by completion divides by the step's deviation", "[step_advantages]") {
  auto config = plain();
  config.whiten = "samples", config.std = "population";
  require_near(advantages_of(two_groups(), config), {std::sqrt(2.0), -std::sqrt(2.0), 0, 0});
}

// REINFORCE++ counts tokens: advantages 1 of three tokens and -1 of one: mean 1/2, squares 3/4 + 9/4 = 3, std sqrt(3/4).
TEST_CASE("whitening by token counts a long completion more", "[step_advantages]") {
  auto config = plain();
  config.whiten = "tokens", config.std = "population", config.baseline = "none";
  const double std = std::sqrt(0.75);
  require_near(advantages_of({{0, {1}, {sequence(1, 3), sequence(-1, 1)}}}, config), {0.5 / std, 0.5 / std, 0.5 / std, -1.5 / std});
}

TEST_CASE("equal advantages whiten to 0", "[step_advantages]") {
  auto config = plain();
  config.whiten = "samples";
  require_near(advantages_of({{0, {1}, {sequence(1), sequence(1)}}}, config), {0, 0});
}

// GDPO: each part is normalised in its group, population std: part 0 is 1, 0 -> 1, -1; part 1 is 0, 10 -> -1, 1. With weights
// 2 and 0.5: 1.5, -1.5. The sum first would give 2 and 5: -1, 1: the large part would rule.
TEST_CASE("each reward is normalised alone, whatever its size", "[step_advantages]") {
  rl::AdvantageConfig config;
  config.eps = 0, config.std = "population", config.combine = "normalize_then_sum";
  const std::vector<rl::TrainGroup> groups = {{0, {1}, {sequence(2, 1, {1, 0}), sequence(5, 1, {0, 10})}}};
  require_near(advantages_of(groups, config, {}, {2, 0.5}), {1.5, -1.5});
  config.combine = "sum_then_normalize";
  require_near(advantages_of(groups, config, {}, {2, 0.5}), {-1, 1});
}

// Sum of k1 of the first: 0.75, times 0.4: reward 0.7 against 0; mean 0.35.
TEST_CASE("a KL in the reward is the whole completion's, before the baseline", "[step_advantages]") {
  require_near(advantages_of(with_reference(), plain(), penalty("reward")), {0.35, -0.35});
}

// 0.5 - 0.4 * (0.5 + 0.25) and 0.5 - 0.4 * 0.25; the second has none.
TEST_CASE("a KL in the token rewards counts from each token on", "[step_advantages]") {
  require_near(advantages_of(with_reference(), plain(), penalty("token_reward")), {0.2, 0.4, -0.5, -0.5});
}

TEST_CASE("a KL in the reward needs the reference's log-probabilities", "[step_advantages]") {
  REQUIRE_THROWS_AS(advantages_of(two_groups(), plain(), penalty("reward")), kernels::Error);
}
