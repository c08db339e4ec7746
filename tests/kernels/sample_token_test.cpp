#include "kernels/sample_token.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "kernels/error.h"
#include "kernels/rng.h"
#include "tests/support/catch.h"
#include "tests/support/every_isa.h"
#include "tests/support/random_tensor.h"

using Catch::Contains;
using kernels::SamplingParameters;

namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();
const double kAlmostOne = std::nextafter(1.0, 0.0);

std::vector<float> normals(int64_t n, uint64_t seed, float scale = 1.0f) {
  std::vector<float> x(static_cast<size_t>(n));
  testing::fill_normal(x.data(), n, seed, scale);
  return x;
}

kernels::SampledToken sample(const std::vector<float>& logits, const SamplingParameters& p, double unit) {
  return kernels::sample_token(logits.data(), static_cast<int64_t>(logits.size()), p, unit);
}

double unit_of(uint32_t i) { return kernels::random_unit({.seed = 11, .position = i}); }

// The header's words in float64 with a full sort: probability of each token, 0 where cut.
struct SlowChoice {
  std::vector<double> probability;
  double kept_mass = 0.0;
};

SlowChoice slow(const std::vector<float>& logits, const SamplingParameters& p) {
  const size_t vocab = logits.size();
  std::vector<size_t> order(vocab);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return logits[a] > logits[b]; });
  std::vector<double> full(vocab);
  double total = 0;
  for (size_t i = 0; i < vocab; ++i) total += full[i] = std::exp((double(logits[i]) - logits[order[0]]) / p.temperature);
  for (double& f : full) f /= total;
  if (p.top_k > 0 && static_cast<size_t>(p.top_k) < vocab) order.resize(static_cast<size_t>(p.top_k));
  double mass = 0, running = 0;
  for (const size_t i : order) mass += full[i];
  if (p.top_p < 1.0)
    for (size_t n = 0; n < order.size(); ++n)
      if ((running += full[order[n]]) >= p.top_p * mass) order.resize(n + 1);
  while (full[order.back()] < p.min_p * full[order[0]]) order.pop_back();
  SlowChoice choice{std::vector<double>(vocab), 0.0};
  for (const size_t i : order) choice.kept_mass += full[i];
  for (const size_t i : order) choice.probability[i] = full[i] / choice.kept_mass;
  return choice;
}

// The token by inverse CDF in ascending id, and the distance of `unit` to the nearest border.
std::pair<int32_t, double> invert(const SlowChoice& choice, double unit) {
  double running = 0;
  for (size_t i = 0; i < choice.probability.size(); ++i) {
    const double before = running;
    running += choice.probability[i];
    if (running > unit) return {static_cast<int32_t>(i), std::min(unit - before, running - unit)};
  }
  return {-1, 0.0};
}

}  // namespace

TEST_CASE("temperature 0 takes the largest logit, the lowest id of a tie", "[sample_token]") {
  CHECK(sample({1, 3, 2}, {.temperature = 0}, 0.99).token == 1);
  CHECK(sample({1, 3, 3, 3}, {.temperature = 0}, 0.99).token == 1);
  CHECK(sample({kNever, -5, kNever}, {.temperature = 0}, 0.5).token == 1);
  auto logits = normals(2000, 1);
  logits[1500] = logits[700] = 9.0f;
  CHECK(sample(logits, {.temperature = 0}, 0.5).token == 700);
}

TEST_CASE("a unit falls into the token whose share of the line it hits", "[sample_token]") {
  // Shares 1/8, 4/8, 2/8, 1/8: borders at 0.125, 0.625, 0.875.
  const std::vector<float> logits = {0.0f, std::log(4.0f), std::log(2.0f), 0.0f};
  for (const auto& [unit, token] : std::vector<std::pair<double, int>>{
           {0.0, 0}, {0.1249, 0}, {0.1251, 1}, {0.6249, 1}, {0.6251, 2}, {0.8749, 2}, {0.8751, 3}, {kAlmostOne, 3}})
    CHECK(sample(logits, {}, unit).token == token);
  // Temperature 1/2 squares the shares: 1, 16, 4, 1 of 22.
  CHECK(sample(logits, {.temperature = 0.5}, 1.0 / 22 - 1e-6).token == 0);
  CHECK(sample(logits, {.temperature = 0.5}, 1.0 / 22 + 1e-6).token == 1);
  CHECK(sample(logits, {.temperature = 0.5}, 21.0 / 22 + 1e-6).token == 3);
}

TEST_CASE("extreme units take the first and the last token that can be drawn", "[sample_token]") {
  for (const int64_t vocab : {1, 7, 255, 256, 257, 1024, 3000}) {
    auto logits = normals(vocab, 2, 3.0f);
    const auto params = {SamplingParameters{}, SamplingParameters{.top_k = vocab}, SamplingParameters{.top_p = 0.999999},
                         SamplingParameters{.min_p = 1e-9}};
    for (const auto& p : params) {
      CHECK(sample(logits, p, kAlmostOne).token < vocab);
      CHECK(sample(logits, p, 0.0).token >= 0);
    }
    CHECK(sample(logits, {}, kAlmostOne).token == vocab - 1);
    CHECK(sample(logits, {}, 0.0).token == 0);
  }
  // Nothing but token 300 of 1,000 has a probability.
  std::vector<float> one(1000, kNever);
  one[300] = -4.0f;
  for (const double unit : {0.0, 0.5, kAlmostOne}) {
    CHECK(sample(one, {}, unit).token == 300);
    CHECK(sample(one, {.top_k = 20, .top_p = 0.9, .min_p = 0.1}, unit).token == 300);
  }
  // A weight too small for float32 (e^-200) is 0, at either end.
  std::vector<float> edges(600, 0.0f);
  edges.front() = edges.back() = -200.0f;
  CHECK(sample(edges, {}, 0.0).token == 1);
  CHECK(sample(edges, {}, kAlmostOne).token == 598);
}

TEST_CASE("top-k keeps the k largest, of equal ones the lower ids", "[sample_token]") {
  const std::vector<float> logits = {1, 2, 2, 2, 0};
  const SamplingParameters p{.top_k = 2};
  CHECK(sample(logits, p, 0.49).token == 1);
  CHECK(sample(logits, p, 0.51).token == 2);
  CHECK(sample(logits, p, kAlmostOne).token == 2);
  // Kept: 2 e^2 of e + 3 e^2 + 1.
  const double e = std::exp(1.0);
  CHECK(std::abs(sample(logits, p, 0.1).kept_mass - 2 * e * e / (e + 3 * e * e + 1)) < 1e-6);
  CHECK(sample(logits, {.top_k = 1}, kAlmostOne).token == 1);
}

TEST_CASE("top-p keeps the fewest tokens that reach the mass", "[sample_token]") {
  // Shares 0.5, 0.25, 0.125, 0.125: 0.6 takes two, 0.75 takes two exactly (all are powers of two), 0.76 three.
  const std::vector<float> logits = {std::log(2.0f), std::log(8.0f), std::log(4.0f), std::log(2.0f)};
  CHECK(std::abs(sample(logits, {.top_p = 0.6}, 0.1).kept_mass - 0.75) < 1e-6);
  CHECK(std::abs(sample(logits, {.top_p = 0.76}, 0.1).kept_mass - 0.875) < 1e-6);
  CHECK(std::abs(sample(logits, {.top_p = 0.88}, 0.1).kept_mass - 1.0) < 1e-6);
  CHECK(std::abs(sample(logits, {.top_p = 1e-9}, 0.1).kept_mass - 0.5) < 1e-6);
  CHECK(sample(logits, {.top_p = 0.0}, 0.9).token == 1);
  // 0.76 keeps ids 0 (of the tie with 3), 1, 2.
  CHECK(sample(logits, {.top_p = 0.76}, kAlmostOne).token == 2);
  CHECK(sample(logits, {.top_p = 0.76}, 0.0).token == 0);
}

TEST_CASE("top-p counts the mass that top-k left, and min-p comes last", "[sample_token]") {
  // Shares 4, 3, 2, 1 of 10. top-k 3 leaves 4/9, 3/9, 2/9: top-p 0.75 keeps two (7/9). Of the whole softmax 0.7 of 0.75
  // would not have been enough.
  const std::vector<float> logits = {std::log(4.0f), std::log(3.0f), std::log(2.0f), std::log(1.0f)};
  CHECK(std::abs(sample(logits, {.top_k = 3, .top_p = 0.75}, 0.1).kept_mass - 0.7) < 1e-6);
  CHECK(std::abs(sample(logits, {.top_p = 0.75}, 0.1).kept_mass - 0.9) < 1e-6);
  // min-p 0.6 keeps what has at least 0.6 * 4 = 2.4.
  CHECK(std::abs(sample(logits, {.min_p = 0.6}, 0.1).kept_mass - 0.7) < 1e-6);
  CHECK(std::abs(sample(logits, {.top_p = 0.75, .min_p = 0.9}, 0.1).kept_mass - 0.4) < 1e-6);
}

TEST_CASE("truncated sampling agrees with a full sort in float64", "[sample_token]") {
  const std::vector<SamplingParameters> all = {
      {},
      {.temperature = 0.6},
      {.top_k = 1},
      {.top_k = 5},
      {.top_k = 50},
      {.temperature = 1.7, .top_k = 400},
      {.top_p = 0.1},
      {.temperature = 0.6, .top_p = 0.95},
      {.temperature = 3.0, .top_p = 0.999},
      {.min_p = 0.05},
      {.temperature = 0.8, .top_k = 30, .top_p = 0.9, .min_p = 0.02},
      {.top_k = 100000, .min_p = 0.3},
  };
  for (const int64_t vocab : {1, 7, 256, 1000, 4099})
    for (size_t k = 0; k < all.size(); ++k) {
      const auto& p = all[k];
      auto logits = normals(vocab, 3, 2.0f);
      if (vocab > 500) logits[400] = logits[17], logits[401] = kNever;
      const auto expected = slow(logits, p);
      int borders = 0;
      for (uint32_t i = 0; i < 200; ++i) {
        const auto [token, distance] = invert(expected, unit_of(i));
        const auto got = sample(logits, p, unit_of(i));
        INFO("vocabulary " << vocab << ", parameters " << k << ", unit " << unit_of(i));
        REQUIRE(std::abs(got.kept_mass - expected.kept_mass) < 2e-6);
        if (distance < 1e-6) ++borders;  // float32 and float64 may differ there
        else REQUIRE(got.token == token);
      }
      REQUIRE(borders < 20);
    }
}

TEST_CASE("counts over 1e5 draws match the probabilities", "[sample_token]") {
  for (const auto& p : {SamplingParameters{.temperature = 0.9}, SamplingParameters{.top_k = 60, .top_p = 0.9}}) {
    const auto logits = normals(700, 5, 1.5f);
    const auto expected = slow(logits, p);
    std::vector<int> count(logits.size());
    const int draws = 100000;
    for (uint32_t i = 0; i < draws; ++i) ++count[static_cast<size_t>(sample(logits, p, unit_of(i)).token)];
    double chi = 0, rest = 0;
    int rest_count = 0, bins = 0;
    for (size_t t = 0; t < count.size(); ++t) {
      const double e = draws * expected.probability[t];
      if (e == 0.0) REQUIRE(count[t] == 0);
      if (e < 10) rest += e, rest_count += count[t];
      else chi += (count[t] - e) * (count[t] - e) / e, ++bins;
    }
    if (rest > 10) chi += (rest_count - rest) * (rest_count - rest) / rest, ++bins;
    const double freedom = bins - 1;
    INFO("chi-squared " << chi << " with " << freedom << " degrees of freedom");
    CHECK(chi < freedom + 5 * std::sqrt(2 * freedom));
    CHECK(chi > freedom - 5 * std::sqrt(2 * freedom));
  }
}

TEST_CASE("a temperature near 0 draws among the largest alone", "[sample_token]") {
  const std::vector<float> logits = {1, 5, 4.999f, 5};
  for (const double t : {1e-6, 1e-30, 1e-300}) {
    CHECK(sample(logits, {.temperature = t}, 0.49).token == 1);
    CHECK(sample(logits, {.temperature = t}, 0.51).token == 3);
    CHECK(sample(logits, {.temperature = t, .top_p = 0.9}, 0.51).token == 3);
  }
}

TEST_CASE("a diverged model is reported, not sampled", "[sample_token]") {
  std::vector<float> logits(900, 0.0f);
  logits[600] = std::nanf("");
  REQUIRE_THROWS_WITH(sample(logits, {}, 0.5), Contains("[512, 768)"));
  REQUIRE_THROWS_WITH(sample(logits, {.temperature = 0}, 0.5), Contains("NaN"));
  logits[600] = -kNever;
  REQUIRE_THROWS_WITH(sample(logits, {.top_k = 4}, 0.5), Contains("infinite"));
  REQUIRE_THROWS_WITH(sample(std::vector<float>(3, kNever), {}, 0.5), Contains("-inf"));
  REQUIRE_THROWS_AS(kernels::sample_token(logits.data(), 0, {}, 0.5), kernels::Error);
}

TEST_CASE("samples are the same bits on every instruction set", "[sample_token][isa]") {
  for (const int64_t vocab : {1, 7, 16, 17, 64, 65, 256, 257, 5000}) {
    const auto logits = normals(vocab, 6, 2.0f);
    testing::require_same_bits_everywhere([&] {
      std::string all;
      for (const auto& p : {SamplingParameters{.temperature = 0.7}, SamplingParameters{.top_k = 20},
                            SamplingParameters{.top_p = 0.9}, SamplingParameters{.min_p = 0.1},
                            SamplingParameters{.temperature = 0}})
        for (uint32_t i = 0; i < 20; ++i) {
          const auto got = sample(logits, p, unit_of(i));
          all.append(reinterpret_cast<const char*>(&got), sizeof got);
        }
      return all;
    });
  }
}
