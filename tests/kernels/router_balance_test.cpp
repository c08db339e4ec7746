#include "kernels/router_balance.h"

#include <cmath>

#include "tests/support/catch.h"
#include "tests/support/compare.h"
#include "tests/support/random_tensor.h"

using kernels::RouterConfig;
using Scoring = RouterConfig::Scoring;

namespace {

RouterConfig config(Scoring scoring, int64_t experts, int64_t active) {
  RouterConfig c;
  c.experts = experts, c.active = active, c.scoring = scoring;
  return c;
}

kernels::Routes routes_of(const at::Tensor& logits, const RouterConfig& c, const at::Tensor& choices = {}) {
  auto routes = kernels::route(logits, {}, c);
  if (choices.defined()) kernels::replay_choices(routes, choices, c);
  return routes;
}

double loss_of(const at::Tensor& logits, const std::vector<int64_t>& groups, const RouterConfig& c, const at::Tensor& choices = {}) {
  std::vector<double> sums;
  kernels::add_balance_loss(routes_of(logits, c, choices), groups, c, sums);
  double total = 0;
  for (const double x : sums) total += x;
  return total;
}

}  // namespace

// DeepSeek-V3, Eq. 17: two rows, two experts, one active. Scores by softmax of (ln 3, 0): 3/4 and 1/4; of (0, ln 3): 1/4, 3/4.
// Each expert has one row: f = 2 / (1 * 2) * 1 = 1, P = 1/2: loss 1. Both rows like the first: f = (2, 0), P = (3/4, 1/4): 3/2.
TEST_CASE("even loads cost 1, uneven ones more", "[router_balance]") {
  const auto c = config(Scoring::softmax, 2, 1);
  const float l = std::log(3.0f);
  REQUIRE(loss_of(testing::tensor_f32({2, 2}, {l, 0, 0, l}), {0, 0}, c) == Approx(1).epsilon(1e-6));
  REQUIRE(loss_of(testing::tensor_f32({2, 2}, {l, 0, l, 0}), {0, 0}, c) == Approx(1.5).epsilon(1e-6));
  // Two groups of one row each, and a padding row: each pays for itself.
  REQUIRE(loss_of(testing::tensor_f32({3, 2}, {l, 0, 9, 0, 0, l}), {0, -1, 1}, c) == Approx(3).epsilon(1e-6));
}

TEST_CASE("the balance gradient is the slope of the loss at fixed choices", "[router_balance]") {
  for (const Scoring scoring : {Scoring::softmax, Scoring::sigmoid}) {
    const auto c = config(scoring, 4, 2);
    const at::Tensor logits = testing::random_f32({5, 4}, 8);
    const std::vector<int64_t> groups = {0, 0, 0, -1, 1};
    const kernels::Routes routes = kernels::route(logits, {}, c);
    at::Tensor gradient = kernels::zeros_f32({5, 4});
    kernels::add_balance_gradient(routes, groups, c, 0.5, gradient);
    for (int64_t i = 0; i < 20; ++i) {
      at::Tensor up = logits.clone(), down = logits.clone();
      kernels::f32(up)[i] += 0.01f, kernels::f32(down)[i] -= 0.01f;
      const double slope = (loss_of(up, groups, c, routes.experts) - loss_of(down, groups, c, routes.experts)) / 0.02 * 0.5;
      INFO("logit " << i);
      REQUIRE(kernels::f32(gradient)[i] == Approx(slope).margin(2e-5));
    }
    for (int64_t e = 0; e < 4; ++e) REQUIRE(kernels::f32(gradient)[3 * 4 + e] == 0.0f);
  }
}

// Logits say experts 0 and 1; the replayed choice is 1 and 2, with the weights of the live scores: 1/4 and 1/8 over 3/8.
TEST_CASE("replayed choices keep the live scores as weights", "[router_balance]") {
  auto c = config(Scoring::softmax, 3, 2);
  const at::Tensor logits = testing::tensor_f32({1, 3}, {std::log(5.0f), std::log(2.0f), 0.0f});
  at::Tensor choices = kernels::empty_i32({1, 2});
  kernels::i32(choices)[0] = 1, kernels::i32(choices)[1] = 2;
  const auto routes = routes_of(logits, c, choices);
  REQUIRE(kernels::i32(routes.experts)[0] == 1);
  REQUIRE(kernels::i32(routes.experts)[1] == 2);
  REQUIRE(kernels::f32(routes.weights)[0] == Approx(2.0 / 3));
  const auto own = kernels::route(logits, {}, c);
  REQUIRE(testing::same_bits(routes_of(logits, c, own.experts).weights, own.weights));
  kernels::i32(choices)[0] = -1;  // chooses its own
  REQUIRE(kernels::i32(routes_of(logits, c, choices).experts)[0] == 0);
}
