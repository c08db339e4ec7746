#include "rl/score_tokens.h"

#include <cmath>

#include "model/transformer.h"
#include "tests/support/catch.h"
#include "tests/support/one_text.h"

using kernels::Dtype;

namespace {

model::ModelConfig experts_with_a_window() {
  model::ModelConfig c;
  c.family = "mixtral";
  c.vocab_size = 31, c.layers = 2, c.width = 16, c.heads = 4, c.key_heads = 2, c.head_size = 4, c.window = 5;
  c.max_positions = 64, c.expert_width = 24;
  c.router = {.experts = 4, .active = 2};
  return c;
}

std::shared_ptr<const model::WeightSet> born(const model::ModelConfig& config, Dtype dtype) {
  model::ParameterStore store(config, false);
  store.init_random(3, 0.3);
  return model::pack_weights(store, dtype, 0);
}

std::vector<std::vector<int32_t>> texts() {
  std::vector<std::vector<int32_t>> all;
  for (const size_t length : {9u, 1u, 2u, 40u, 17u}) {
    std::vector<int32_t> text;
    for (size_t i = 0; i < length; ++i) text.push_back(static_cast<int32_t>((7 * i + 3 * length) % 31));
    all.push_back(text);
  }
  return all;
}

std::vector<rl::ScoredText> score(const model::WeightSet& weights, const std::vector<std::vector<int32_t>>& texts,
                                  const rl::ScoreTokensOptions& options = {}) {
  std::vector<const std::vector<int32_t>*> pointers;
  for (const auto& text : texts) pointers.push_back(&text);
  return rl::score_tokens(weights, pointers, options);
}

}  // namespace

TEST_CASE("a text's log-probabilities are the trainer's, bit for bit, in any batch", "[score_tokens]") {
  for (const auto dtype : {Dtype::float32, Dtype::bf16}) {
    const auto weights = born(experts_with_a_window(), dtype);
    const auto all = texts();
    const auto together = score(*weights, all);
    for (size_t t = 0; t < all.size(); ++t) {
      CHECK(together[t].logprobs == score(*weights, {all[t]})[0].logprobs);
      REQUIRE(together[t].logprobs.size() == all[t].size() - 1);
      if (all[t].size() < 2) continue;
      const auto trained = model::forward_train(*weights, testing::one_text(all[t]), {.keep_tape = false}).tokens.logprob;
      CHECK(together[t].logprobs == std::vector<float>(kernels::f32(trained), kernels::f32(trained) + trained.numel()));
    }
  }
}

TEST_CASE("asking for the likeliest tokens changes no log-probability, and they agree with it", "[score_tokens]") {
  const auto weights = born(experts_with_a_window(), Dtype::float32);
  const auto all = texts();
  const auto plain = score(*weights, all), with_top = score(*weights, all, {.top = 31});
  for (size_t t = 0; t < all.size(); ++t) {
    CHECK(plain[t].logprobs == with_top[t].logprobs);
    CHECK(plain[t].top.empty());
    REQUIRE(with_top[t].top.size() == all[t].size() - 1);
    for (size_t i = 0; i + 1 < all[t].size(); ++i) {
      const auto& place = with_top[t].top[i];
      REQUIRE(place.size() == 31);  // the whole vocabulary: it sums to 1
      double sum = 0;
      for (size_t k = 0; k < place.size(); ++k) {
        sum += std::exp(static_cast<double>(place[k].second));
        if (k > 0) CHECK(place[k - 1].second >= place[k].second);
        if (place[k].first == all[t][i + 1]) CHECK(place[k].second == Approx(plain[t].logprobs[i]).margin(1e-6));
      }
      CHECK(sum == Approx(1.0).margin(1e-5));
    }
  }
}

TEST_CASE("the temperature divides the logits", "[score_tokens]") {
  const auto weights = born(experts_with_a_window(), Dtype::float32);
  const std::vector<std::vector<int32_t>> text{{3, 8, 5}};
  const auto at_one = score(*weights, text, {.top = 31})[0].top[1], at_two = score(*weights, text, {.top = 31, .temperature = 2})[0].top[1];
  // log p_a - log p_b = (z_a - z_b) / T, whatever the normaliser.
  CHECK(at_two[0].second - at_two[30].second == Approx((at_one[0].second - at_one[30].second) / 2).margin(1e-5));
  CHECK(at_two[0].first == at_one[0].first);
}
