#include "rollout/sampler.h"

#include <cmath>

#include "tests/support/catch.h"

using kernels::SamplingParameters;
using rollout::Draw;

namespace {

// Two rows of four logits; the second is padded with a huge one that is no token.
at::Tensor two_rows() {
  const float values[] = {0.0f, std::log(2.0f), 0.0f, 0.0f, -1.0f, /**/ 3.0f, 0.0f, 0.0f, 0.0f, 1e9f};
  at::Tensor logits = kernels::empty_f32({2, 5});
  std::copy(std::begin(values), std::end(values), kernels::f32(logits));
  return logits;
}

}  // namespace

TEST_CASE("the largest logit is taken at temperature 0, its log-probability at temperature 1", "[sampler]") {
  // Row 0 is 1 : 2 : 1 : 1 over 4 tokens, so p = 2 / 5.
  const SamplingParameters greedy{.temperature = 0.0};
  Draw draws[] = {{0, &greedy, {}, {}, 0}, {1, &greedy, {}, {}, 0}};
  rollout::draw_tokens(two_rows(), 4, draws, 2);
  CHECK(draws[0].sampled.token == 1);
  CHECK(draws[0].logprob == Approx(std::log(0.4)));
  CHECK(draws[1].sampled.token == 0);
  CHECK(draws[1].logprob == Approx(3.0 - std::log(std::exp(3.0) + 3.0)));
  CHECK(rollout::inverse_temperature(greedy) == 1.0f);
}

TEST_CASE("the log-probability is taken at the temperature and before truncation", "[sampler]") {
  // At temperature 1/2 row 0 is 1 : 4 : 1 : 1, so p = 4 / 7, although top-k leaves one token.
  const SamplingParameters sampling{.temperature = 0.5, .top_k = 1};
  Draw draw{0, &sampling, {}, {}, 0};
  rollout::draw_tokens(two_rows(), 4, &draw, 1);
  CHECK(draw.sampled.token == 1);
  CHECK(draw.logprob == Approx(std::log(4.0 / 7.0)));
  CHECK(draw.sampled.kept_mass == Approx(4.0 / 7.0));
}

TEST_CASE("with renormalise the log-probability is over the kept ids, and they are named", "[sampler]") {
  // Row 0 is 1 : 2 : 1 : 1; top-k 2 leaves ids 0 and 1 (the lower on a tie), so p = 1/3 and 2/3.
  const SamplingParameters cut{.top_k = 2, .renormalise = true}, whole{};
  for (uint32_t position = 0; position < 20; ++position) {
    Draw draws[] = {{0, &cut, {.position = position}, {}, 0}, {0, &whole, {.position = position}, {}, 0}};
    rollout::draw_tokens(two_rows(), 4, draws, 2);
    CHECK(draws[0].kept == std::vector<int32_t>{0, 1});
    CHECK(draws[0].logprob == Approx(draws[0].sampled.token == 1 ? std::log(2.0 / 3) : std::log(1.0 / 3)));
    CHECK(draws[1].kept.empty());  // beside it, another request's draw from the same row
    CHECK(draws[1].logprob == Approx(draws[1].sampled.token == 1 ? std::log(0.4) : std::log(0.2)));
  }
}

TEST_CASE("sampling parameters outside of their range are refused by name", "[sampler]") {
  const double nan = std::nan("");
  rollout::check_sampling({.temperature = 0.0, .top_k = 5, .top_p = 1.0, .min_p = 1.0});
  for (const double bad : {-1.0, 1e-9, 1e9, nan})
    CHECK_THROWS_WITH(rollout::check_sampling({.temperature = bad}), Catch::Contains("temperature"));
  for (const double bad : {0.0, -0.5, 1.1, nan})
    CHECK_THROWS_WITH(rollout::check_sampling({.top_p = bad}), Catch::Contains("top_p"));
  for (const double bad : {-0.1, 1.1, nan})
    CHECK_THROWS_WITH(rollout::check_sampling({.min_p = bad}), Catch::Contains("min_p"));
  CHECK_THROWS_WITH(rollout::check_sampling({.top_k = -1}), Catch::Contains("top_k"));
  CHECK_THROWS_WITH(rollout::check_sampling({.temperature = 0.0, .renormalise = true}), Catch::Contains("keep_mask"));
}

TEST_CASE("several draws from one row equal the draws made alone", "[sampler]") {
  const SamplingParameters sampling{};
  std::vector<Draw> together;
  for (uint32_t i = 0; i < 40; ++i) {
    Draw d;
    d.row = i / 20;
    d.sampling = &sampling;
    d.key.seed = 9;
    d.key.sample = i;
    together.push_back(d);
  }
  std::vector<Draw> alone = together;
  rollout::draw_tokens(two_rows(), 4, together.data(), 40);
  int others = 0;
  for (size_t i = 0; i < 40; ++i) {
    rollout::draw_tokens(two_rows(), 4, &alone[i], 1);
    CHECK(together[i].sampled.token == alone[i].sampled.token);
    CHECK(together[i].logprob == alone[i].logprob);
    CHECK(together[i].sampled.token < 4);
    others += i < 20 && together[i].sampled.token != together[0].sampled.token;
  }
  CHECK(others > 0);
}
