#include "rl/commands/reward_choice.h"

#include "tests/support/catch.h"

namespace {

double score_of(const reward::Settings& settings) {
  reward::Item item;
  item.completion = "<answer>4</answer>", item.answer = "4";
  const auto reward = rl::make_chosen({settings});
  return reward->score({item}, std::chrono::steady_clock::now() + std::chrono::seconds(10)).at(0).value;
}

}  // namespace

TEST_CASE("a file of one reward scores with its weight, as in a run", "[rescore]") {
  reward::Settings exact;
  exact.name = "exact";
  REQUIRE(score_of(exact) == 1.0);
  exact.weight = 0.5;
  REQUIRE(score_of(exact) == 0.5);
  exact.role = "metric";  // alone, it is what is asked for
  REQUIRE(score_of(exact) == 1.0);
}
