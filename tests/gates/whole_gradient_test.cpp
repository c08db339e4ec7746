// The whole model against a float64 reference: log-probabilities and entropies, and the gradient against central
// differences of the reference.
#include <cmath>
#include <cstdlib>

#include "kernels/rng.h"
#include "kernels/thread_pool.h"
#include "model/transformer.h"
#include "tests/gates/gate_groups.h"
#include "tests/gates/gate_models.h"
#include "tests/support/catch.h"
#include "tests/support/compare.h"
#include "tests/support/every_isa.h"
#include "tests/support/random_tensor.h"
#include "tests/support/reference_model.h"

namespace {

struct Case {
  model::ModelConfig config;
  model::ParameterStore store;
  rl::MicroBatch batch;
  std::vector<rl::TrainGroup> groups;
  model::HeadOutput output;
  at::Tensor dlogprob, dentropy;  // random weights: the function is their sum over the tokens

  explicit Case(const model::ModelConfig& c) : config(c), store(c, true) {
    gate::fill(store, 17);
    const auto weights = model::pack_weights(store, kernels::Dtype::float32, 1);
    groups = gate::make_groups(*weights);
    groups.resize(1);  // a prompt of 7 and completions of 9, 4, 1 and 16 tokens: the last goes on into the second tile
    batch = rl::pack(groups, 0, 1, gate::kInverseTemperature);
    output = model::forward_train(*weights, batch.tokens, {});
    const int64_t size = batch.tokens.head_count();
    dlogprob = testing::random_f32({size}, 5), dentropy = testing::random_f32({size}, 6);
    // Padding heads have no token.
    for (int64_t s = 0; s < size; ++s)
      if (batch.tokens.head_rows[static_cast<size_t>(s)] < 0) kernels::f32(dlogprob)[s] = kernels::f32(dentropy)[s] = 0.0f;
    // backward uses the tape up; the log-probabilities stay.
    model::backward(*weights, output, dlogprob, dentropy, store);
    store.complete_gradient();
  }

  // The reference's tokens in the order of the head rows; padding heads are {0, 0}.
  std::vector<reference::Scored> scored(const reference::Network& network, std::vector<int32_t>* routes) const {
    std::vector<reference::Scored> all;
    for (const auto& s : groups[0].sequences) {
      std::vector<int32_t> text = groups[0].prompt;
      text.insert(text.end(), s.tokens.begin(), s.tokens.end());
      for (const auto& one : network.score(text, groups[0].prompt.size(), gate::kInverseTemperature, routes)) all.push_back(one);
      if (s.tokens.size() % 2) all.push_back({});
    }
    return all;
  }

  double function(const reference::Network& network, std::vector<int32_t>* routes) const {
    double sum = 0;
    const auto all = scored(network, routes);
    const auto logprob_weight = testing::as(testing::values(dlogprob)), entropy_weight = testing::as(testing::values(dentropy));
    for (size_t s = 0; s < all.size(); ++s) sum += logprob_weight[s] * all[s].logprob + entropy_weight[s] * all[s].entropy;
    return sum;
  }
};

std::vector<double> masters(const model::ParameterStore& store) { return testing::as(testing::values(store.master)); }

// The places that are checked in a parameter: where the gradient is largest, and one at random; ten with PONDER_LONG=1.
std::vector<int64_t> places(const float* gradient, const model::Parameter& p, uint64_t seed) {
  int64_t largest = 0;
  for (int64_t i = 0; i < p.size; ++i)
    if (std::abs(gradient[i]) > std::abs(gradient[largest])) largest = i;
  std::vector<int64_t> chosen{largest};
  for (uint32_t k = 0; k < (std::getenv("PONDER_LONG") ? 10 : 1); ++k) {
    const kernels::RandomKey key{.seed = seed, .purpose = kernels::Purpose::data, .position = k};
    chosen.push_back(static_cast<int64_t>(kernels::random_below(key, static_cast<uint64_t>(p.size))));
  }
  return chosen;
}

}  // namespace

// Float32 sums of some 50 terms, through two layers: a few dozen roundings of 6e-8 on logits of size 10.
TEST_CASE("log-probabilities and entropies of the whole model are those of a float64 transformer", "[gate][gradient]") {
  for (const auto& [name, config] : gate::models()) {
    INFO(name);
    const Case c(config);
    const auto wanted = c.scored(reference::Network(config, masters(c.store)), nullptr);
    std::vector<double> logprobs, entropies;
    for (const auto& s : wanted) logprobs.push_back(s.logprob), entropies.push_back(s.entropy);
    auto got = testing::values(c.output.tokens.logprob), entropy = testing::values(c.output.tokens.entropy);
    for (size_t s = 0; s < wanted.size(); ++s)
      if (c.batch.tokens.head_rows[s] < 0) got[s] = entropy[s] = 0.0f;
    REQUIRE(testing::max_abs(logprobs) > 1.0);
    const double error = testing::max_difference(got, logprobs), entropy_error = testing::max_difference(entropy, entropies);
    INFO("log-probability " << error << ", entropy " << entropy_error);
    REQUIRE(error <= 5e-6);
    REQUIRE(entropy_error <= 5e-6);
  }
}

// Central differences with h = 1e-5 in float64 are good to about h^2 = 1e-10 and 1e-16 / h = 1e-11; what is left is the
// float32 backward pass: some hundred roundings of 6e-8, taken on the parameter's largest gradient.
TEST_CASE("the gradient of the whole model is the slope of the float64 transformer, in every parameter", "[gate][gradient]") {
  const testing::KernelSettings saved;
  kernels::set_threads(1);
  for (const auto& [name, config] : gate::models()) {
    const Case c(config);
    reference::Network network(config, masters(c.store));
    std::vector<int32_t> routes, moved;
    c.function(network, &routes);
    REQUIRE(routes.empty() == (config.router.experts == 0));
    for (const auto& p : c.store.parameters()) {
      const float* gradient = c.store.gradient_of(p.name);
      const double scale = testing::max_abs(testing::as(std::vector<float>(gradient, gradient + p.size)));
      if (p.trained) REQUIRE(scale > 0);
      for (const int64_t i : places(gradient, p, static_cast<uint64_t>(p.offset))) {
        INFO(name << ", " << p.name << "[" << i << "]");
        double& w = network.weights()[static_cast<size_t>(p.offset + i)];
        const double before = w, h = 1e-5;
        moved.clear();
        w = before + h;
        const double above = c.function(network, &moved);
        REQUIRE(moved == routes);  // the slope is of fixed routes
        moved.clear();
        w = before - h;
        const double below = c.function(network, &moved);
        REQUIRE(moved == routes);
        w = before;
        const double slope = (above - below) / (2 * h);
        INFO("slope " << slope << ", gradient " << gradient[i]);
        REQUIRE(std::abs(slope - static_cast<double>(gradient[i])) <= 5e-6 * scale + 1e-8);
      }
    }
  }
}
