#include "tests/reward/support.h"

using Catch::Matchers::WithinAbs;
using reward::Status;

namespace {

// A completion of a group: right or wrong by `exact`, with the gold "1".
reward::Item sample(bool right, int64_t tokens, int64_t group = 0) {
  auto it = item(right ? "<answer>1</answer>" : "<answer>2</answer>", "1");
  it.completion_tokens = tokens;
  it.group_id = group;
  return it;
}

std::vector<double> values(reward::Reward& reward, const std::vector<reward::Item>& items) {
  std::vector<double> out;
  for (const auto& outcome : reward.score(items, no_deadline)) {
    REQUIRE(outcome.status == Status::scored);
    out.push_back(outcome.value);
  }
  return out;
}

double cosine(bool right, int64_t tokens, OptionList options = {}) {
  options.insert(options.end(), {{"of", "exact"}, {"max_tokens", "100"}});
  return values(*make("cosine", options), {sample(right, tokens)})[0];
}

double overlong(int64_t tokens, const char* factor = "1") {
  return values(*make("overlong", {{"max_tokens", "100"}, {"cache_tokens", "40"}, {"factor", factor}}),
                {sample(true, tokens)})[0];
}

}  // namespace

TEST_CASE("cosine falls from 1 to 0.5 for right answers and rises from -1 to -0.5 for wrong ones", "[length]") {
  // 1/4 of the way: (1 + cos(pi/4)) / 2 = (1 + 0.70710678) / 2 = 0.85355339; right: 0.5 + 0.5 * that = 0.92677670.
  REQUIRE_THAT(cosine(true, 25), WithinAbs(0.92677670, 1e-8));
  REQUIRE_THAT(cosine(false, 25), WithinAbs(-0.92677670, 1e-8));
  // Half way the cosine is 0: the middle of the ends.
  REQUIRE_THAT(cosine(true, 50), WithinAbs(0.75, 1e-12));
  REQUIRE_THAT(cosine(false, 50), WithinAbs(-0.75, 1e-12));
  REQUIRE(cosine(true, 100) == 0.5);
  REQUIRE(cosine(false, 100) == -0.5);
}

TEST_CASE("beyond max_tokens the cosine does not turn back", "[length]") {
  REQUIRE(cosine(true, 200) == 0.5);  // cos(2 pi) would give 1
  REQUIRE(cosine(false, 1'000'000'000'000) == -0.5);
}

TEST_CASE("the ends of the cosine are options", "[length]") {
  const OptionList ends = {{"right_short", "2"}, {"right_long", "1"}, {"wrong_short", "-10"}, {"wrong_long", "0"}};
  REQUIRE_THAT(cosine(true, 50, ends), WithinAbs(1.5, 1e-12));
  REQUIRE_THAT(cosine(false, 50, ends), WithinAbs(-5.0, 1e-12));
}

TEST_CASE("length_kimi compares lengths within a group", "[length]") {
  // Lengths 10 to 50, so lambda = 0.5 - (L - 10) / 40: 0.5, 0.25 (20), 0 (30), -0.25 (40), -0.5 (50).
  auto kimi = make("length_kimi", {{"of", "exact"}});
  REQUIRE(values(*kimi, {sample(true, 10), sample(true, 20), sample(true, 30), sample(true, 40), sample(true, 50)}) ==
          std::vector<double>{0.5, 0.25, 0.0, -0.25, -0.5});
  REQUIRE(values(*kimi, {sample(false, 10), sample(false, 20), sample(false, 30), sample(false, 40), sample(false, 50)}) ==
          std::vector<double>{0.0, 0.0, 0.0, -0.25, -0.5});
}

TEST_CASE("length_kimi gives 0 when all of a group are equally long", "[length]") {
  auto kimi = make("length_kimi", {{"of", "exact"}});
  REQUIRE(values(*kimi, {sample(true, 10), sample(false, 10)}) == std::vector<double>{0.0, 0.0});
  REQUIRE(values(*kimi, {sample(true, 10)}) == std::vector<double>{0.0});
}

TEST_CASE("length_kimi keeps the groups of one call apart", "[length]") {
  auto kimi = make("length_kimi", {{"of", "exact"}});
  REQUIRE(values(*kimi, {sample(true, 10, 1), sample(true, 20, 1), sample(true, 1000, 2), sample(true, 3000, 2)}) ==
          std::vector<double>{0.5, -0.5, 0.5, -0.5});
}

TEST_CASE("a completion without a verdict or a length has no value and is not compared with", "[length]") {
  auto kimi = make("length_kimi", {{"of", "exact"}});
  auto no_gold = sample(true, 1), uncounted = sample(true, 0);
  no_gold.answer = "";
  const auto outcomes = kimi->score({no_gold, sample(true, 10), uncounted, sample(true, 20)}, no_deadline);
  REQUIRE(outcomes[0].status == Status::not_applicable);
  REQUIRE(outcomes[2].status == Status::not_applicable);
  REQUIRE(outcomes[1].value == 0.5);
  REQUIRE(outcomes[3].value == -0.5);
}

TEST_CASE("a completion without an answer counts as wrong", "[length]") {
  auto cosine_reward = make("cosine", {{"of", "exact"}, {"max_tokens", "100"}});
  auto silent = sample(true, 100);
  silent.completion = "I do not know.";
  const auto outcome = score_one(*cosine_reward, silent);
  REQUIRE(outcome.status == Status::no_answer);
  REQUIRE(outcome.value == -0.5);
}

TEST_CASE("length rewards check golds as their judge does", "[length]") {
  auto kimi = make("length_kimi", {{"of", "countdown"}});
  REQUIRE(kimi->check_answer("numbers=1,2 target=3").empty());
  REQUIRE_FALSE(kimi->check_answer("3").empty());
}

TEST_CASE("overlong costs nothing at first, then falls to -1 over the last tokens", "[length]") {
  REQUIRE(overlong(1) == 0.0);
  REQUIRE(overlong(60) == 0.0);     // 100 - 40
  REQUIRE(overlong(61) == -0.025);  // (60 - 61) / 40
  REQUIRE(overlong(70) == -0.25);   // (60 - 70) / 40
  REQUIRE(overlong(100) == -1.0);
  REQUIRE(overlong(101) == -1.0);
  REQUIRE(overlong(80, "0.5") == -0.25);  // 0.5 * (60 - 80) / 40
  // DAPO's own numbers, Lmax = 20480 and Lcache = 4096, are the defaults; cache_share = 0.2 says the same.
  for (const OptionList& options : {OptionList{}, OptionList{{"cache_share", "0.2"}}}) {
    const auto dapo = make("overlong", options);
    const auto scores = values(*dapo, {sample(true, 16384), sample(true, 17408), sample(true, 20480), sample(true, 20481)});
    REQUIRE(scores == std::vector<double>{0, -0.25, -1, -1});  // 20480 - 4096 = 16384; (16384 - 17408) / 4096
  }
  // 20 % of 256 tokens: 51.
  REQUIRE(values(*make("overlong", {{"max_tokens", "256"}, {"cache_share", "0.2"}}), {sample(true, 222)})[0] == -17.0 / 51);
}

TEST_CASE("overlong has no value where nobody counted the tokens", "[length]") {
  auto it = sample(true, 0);
  REQUIRE(score_one(*make("overlong"), it).status == Status::not_applicable);
  it.completion = "";
  REQUIRE(score_one(*make("overlong"), it).value == 0.0);
}
