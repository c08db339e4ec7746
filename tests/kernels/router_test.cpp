#include "kernels/router.h"

#include <limits>

#include "tests/support/catch.h"
#include "tests/support/compare.h"
#include "tests/support/every_isa.h"
#include "tests/support/random_tensor.h"
#include "tests/support/reference_ops.h"

using Catch::Contains;
using namespace testing;
using kernels::Dtype;
using kernels::RouterConfig;
using Scoring = kernels::RouterConfig::Scoring;

namespace {

std::vector<int32_t> chosen(const kernels::Routes& routes) {
  const int32_t* ids = kernels::i32(routes.experts);
  return {ids, ids + routes.experts.numel()};
}

using Ids = std::vector<int32_t>;

// The choice by the header's words, in float64 on the kernel's own scores.
Ids slow_choice(const std::vector<float>& scores, const std::vector<float>& bias, const RouterConfig& c) {
  const size_t size = static_cast<size_t>(c.experts / c.groups);
  std::vector<float> s = scores;
  for (size_t e = 0; e < s.size(); ++e) s[e] += bias.empty() ? 0.0f : bias[e];
  std::vector<std::pair<float, size_t>> groups;
  for (size_t g = 0; g < static_cast<size_t>(c.groups); ++g) {
    std::vector<float> of(s.begin() + static_cast<long>(g * size), s.begin() + static_cast<long>((g + 1) * size));
    std::sort(of.rbegin(), of.rend());
    const bool two = c.group_score == RouterConfig::GroupScore::two_largest && size > 1;
    groups.push_back({-(two ? of[0] + of[1] : of[0]), g});
  }
  std::sort(groups.begin(), groups.end());
  for (size_t i = static_cast<size_t>(c.groups_kept); i < groups.size(); ++i)
    for (size_t e = 0; e < size; ++e) s[groups[i].second * size + e] = -std::numeric_limits<float>::infinity();
  std::vector<std::pair<float, int32_t>> order;
  for (size_t e = 0; e < s.size(); ++e) order.push_back({-s[e], static_cast<int32_t>(e)});
  std::sort(order.begin(), order.end());
  Ids ids;
  for (size_t i = 0; i < static_cast<size_t>(c.active); ++i) ids.push_back(order[i].second);
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace

TEST_CASE("softmax routing keeps the largest and divides by their sum", "[router]") {
  // logits ln 1, ln 4, ln 2, ln 1: s = 1/8, 4/8, 2/8, 1/8. Two largest: 1 and 2, weights 2/3 and 1/3.
  const auto logits = tensor_f32({1, 4}, {0.0f, std::log(4.0f), std::log(2.0f), 0.0f});
  RouterConfig config{.experts = 4, .active = 2};
  const auto routes = kernels::route(logits, {}, config);
  CHECK(chosen(routes) == Ids{1, 2});
  CHECK(max_difference(values(routes.weights), {2.0 / 3, 1.0 / 3}) < 2e-7);
  CHECK(max_difference(values(routes.scores), {0.125, 0.5, 0.25, 0.125}) < 1e-7);
  config.normalize = false;
  config.scale = 3.0;
  CHECK(max_difference(values(kernels::route(logits, {}, config).weights), {1.5, 0.75}) < 5e-7);
}

TEST_CASE("sigmoid routing scores each expert alone", "[router]") {
  // sigmoid(0) = 1/2, sigmoid(ln 3) = 3/4, sigmoid(-ln 3) = 1/4. Two largest sum to 5/4; scale 2.5 gives 1 and 1.5.
  const auto logits = tensor_f32({1, 3}, {0.0f, std::log(3.0f), -std::log(3.0f)});
  const auto routes = kernels::route(logits, {}, {.experts = 3, .active = 2, .scoring = Scoring::sigmoid, .scale = 2.5});
  CHECK(chosen(routes) == Ids{0, 1});
  CHECK(max_difference(values(routes.weights), {1.0, 1.5}) < 5e-7);
}

TEST_CASE("ties go to the lower expert, and the chosen ones come in ascending order", "[router]") {
  const auto equal = kernels::zeros_f32({1, 6});
  CHECK(chosen(kernels::route(equal, {}, {.experts = 6, .active = 3})) == Ids{0, 1, 2});
  const auto some = tensor_f32({1, 6}, {0, 1, 5, 1, 1, 2});
  CHECK(chosen(kernels::route(some, {}, {.experts = 6, .active = 4})) == Ids{1, 2, 3, 5});
}

TEST_CASE("the bias steers the choice but not the weight, negative ones too", "[router]") {
  // s = 3/4, 1/2, 1/4. Bias -1/2 on expert 0 leaves 1/4: a tie with expert 2, which has the higher id. Bias -0.6: 0.15.
  const auto logits = tensor_f32({1, 3}, {std::log(3.0f), 0.0f, -std::log(3.0f)});
  const RouterConfig config{.experts = 3, .active = 2, .scoring = Scoring::sigmoid};
  const auto routes = kernels::route(logits, tensor_f32({3}, {-0.6f, 0, 0}), config);
  CHECK(chosen(routes) == Ids{1, 2});
  CHECK(max_difference(values(routes.weights), {2.0 / 3, 1.0 / 3}) < 2e-7);
  CHECK(chosen(kernels::route(logits, tensor_f32({3}, {-9, -9, -9}), config)) == Ids{0, 1});
}

TEST_CASE("experts outside the kept groups are not chosen, even when all kept ones are negative", "[router]") {
  // Groups {0,1} {2,3} {4,5}. Sums of two with bias: -1.0, -0.4, -3.3. Kept: the second, then the first.
  const auto logits = kernels::zeros_f32({1, 6});  // every s is 1/2
  const auto bias = tensor_f32({6}, {-1.2f, -0.8f, -0.6f, -0.8f, -4.3f, 0.0f});
  RouterConfig config{.experts = 6, .active = 2, .scoring = Scoring::sigmoid, .groups = 3, .groups_kept = 1};
  CHECK(chosen(kernels::route(logits, bias, config)) == Ids{2, 3});
  config.groups_kept = 2;
  CHECK(chosen(kernels::route(logits, bias, config)) == Ids{1, 2});  // -0.1 in 2; then 1 and 3 tie at -0.3: the lower id
  config.groups_kept = 3;
  CHECK(chosen(kernels::route(logits, bias, config)) == Ids{2, 5});  // 5 has 0.5
}

TEST_CASE("a group can be scored by its largest member alone", "[router]") {
  // s = 4/16, 4/16, 6/16, 1/16, 1/16, 0+. By two: 8/16, 7/16, 1/16: the first group. By the largest: the second.
  const auto logits = tensor_f32({1, 6}, {std::log(4.0f), std::log(4.0f), std::log(6.0f), 0.0f, 0.0f, -100.0f});
  RouterConfig config{.experts = 6, .active = 2, .groups = 3, .groups_kept = 1, .normalize = false, .scale = 16.0};
  CHECK(chosen(kernels::route(logits, {}, config)) == Ids{0, 1});
  config.group_score = RouterConfig::GroupScore::largest;
  const auto routes = kernels::route(logits, {}, config);
  CHECK(chosen(routes) == Ids{2, 3});
  CHECK(max_difference(values(routes.weights), {6.0, 1.0}) < 2e-6);  // 16 * 6/16 and 16 * 1/16
}

TEST_CASE("choices agree with a slow sort, with and without groups and bias", "[router]") {
  for (const bool softmax : {true, false})
    for (const bool with_bias : {false, true})
      for (const auto& [experts, groups, kept, active] : std::vector<std::array<int64_t, 4>>{
               {1, 1, 1, 1}, {8, 1, 1, 2}, {8, 8, 3, 3}, {16, 4, 2, 4}, {65, 1, 1, 8}, {64, 8, 4, 8}, {64, 8, 4, 7}}) {
        const RouterConfig config{.experts = experts,
                                  .active = active,
                                  .scoring = softmax ? Scoring::softmax : Scoring::sigmoid,
                                  .groups = groups,
                                  .groups_kept = kept,
                                  .group_score = active % 2 == 0 ? RouterConfig::GroupScore::largest
                                                                 : RouterConfig::GroupScore::two_largest};
        const auto logits = random_f32({70, experts}, 1), bias = random_f32({experts}, 2, 0.2f);
        const auto routes = kernels::route(logits, with_bias ? bias : at::Tensor(), config);
        Ids expected;
        for (int64_t n = 0; n < 70; ++n)
          for (const int32_t e : slow_choice(values(routes.scores[n]), with_bias ? values(bias) : std::vector<float>{}, config))
            expected.push_back(e);
        INFO("experts " << experts << ", groups " << groups);
        REQUIRE(chosen(routes) == expected);
      }
}

TEST_CASE("scores are as accurate as plain float32 and far logits give no NaN", "[router]") {
  for (const bool softmax : {true, false}) {
    const auto logits = random_f32({1, 65}, 3, 5.0f);
    const auto scoring = softmax ? Scoring::softmax : Scoring::sigmoid;
    const auto routes = kernels::route(logits, {}, {.experts = 65, .active = 4, .scoring = scoring});
    require_as_accurate_as(values(routes.scores), reference::router_scores<float>(values(logits), softmax),
                           reference::router_scores<double>(as(values(logits)), softmax));
    const auto far = kernels::route(tensor_f32({1, 2}, {-1000, -2000}), {}, {.experts = 2, .active = 2, .scoring = scoring});
    for (const float w : values(far.weights)) CHECK((w >= 0.0f && w <= 1.0f));
  }
}

TEST_CASE("the router's gradient agrees with finite differences at fixed choices", "[router]") {
  for (const bool softmax : {true, false})
    for (const bool normalize : {true, false}) {
      const RouterConfig config{.experts = 9, .active = 3, .scoring = softmax ? Scoring::softmax : Scoring::sigmoid,
                                .normalize = normalize, .scale = 2.5};
      const auto logits = random_f32({1, 9}, 5), bias = random_f32({9}, 6, 0.3f), dw = random_f32({1, 3}, 7);
      const auto routes = kernels::route(logits, bias, config);
      const auto got = kernels::route_backward(dw, routes, config);
      const auto d = as(values(dw));
      INFO("softmax " << softmax << ", normalize " << normalize);
      require_gradient(values(got), as(values(logits)), [&](const auto& at) {
        return dot(d, reference::router_weights<double>(at, chosen(routes), softmax, normalize, 2.5));
      });
    }
}

TEST_CASE("impossible choices and wrong shapes are refused", "[router]") {
  const auto logits = random_f32({2, 8}, 1);
  REQUIRE_THROWS_WITH(kernels::route(logits, {}, {.experts = 8, .active = 9}), Contains("9 of 8"));
  REQUIRE_THROWS_WITH(kernels::route(logits, {}, {.experts = 8, .active = 2, .groups = 3}), Contains("3 equal groups"));
  REQUIRE_THROWS_WITH(kernels::route(logits, {}, {.experts = 8, .active = 4, .groups = 4, .groups_kept = 1}),
                      Contains("1 of 4 groups"));
  REQUIRE_THROWS_WITH(kernels::route(logits, {}, {.experts = 6, .active = 2}), Contains("[2, 8]"));
  REQUIRE_THROWS_WITH(kernels::route(logits, random_f32({7}, 1), {.experts = 8, .active = 2}), Contains("[7]"));
}

TEST_CASE("routes give the same bits on every instruction set and thread count", "[router][isa]") {
  for (const auto scoring : {Scoring::softmax, Scoring::sigmoid})
    for (const int64_t experts : {1, 7, 8, 16, 17, 64, 65})
      for (const int64_t rows : {0, 1, 300}) {
        const RouterConfig config{.experts = experts, .active = std::min<int64_t>(experts, 3), .scoring = scoring};
        const auto logits = random_f32({rows, experts}, 1), dw = random_f32({rows, config.active}, 2);
        require_same_bits_everywhere([&] {
          const auto r = kernels::route(logits, {}, config);
          return bytes(r.experts) + bytes(r.weights) + bytes(r.scores) + bytes(kernels::route_backward(dw, r, config));
        });
      }
}
