#include "kernels/router.h"
#include "tests/support/catch.h"
#include "tests/support/compare.h"
#include "tests/support/every_isa.h"
#include "tests/support/random_tensor.h"

using Catch::Contains;
using namespace testing;
using kernels::Dtype;
using Numbers = std::vector<int64_t>;

namespace {

kernels::Routes routes_of(int64_t rows, int64_t slots, const std::vector<int32_t>& experts) {
  kernels::Routes routes;
  routes.experts = kernels::empty_i32({rows, slots});
  std::copy(experts.begin(), experts.end(), kernels::i32(routes.experts));
  return routes;
}

// Groups of rows with padding rows between.
struct Mix {
  kernels::ExpertRows sorted;
  at::Tensor weights, y, dout;
  int64_t rows = 0, slots = 0, width = 0;
};

Mix random_mix(int64_t rows, int64_t experts, int64_t slots, int64_t width) {
  const auto routes = kernels::route(random_f32({rows, experts}, 1), {}, {.experts = experts, .active = slots});
  Numbers groups;
  for (int64_t n = 0; n < rows; ++n) groups.push_back(n % 11 == 10 ? -1 : n / 13);
  Mix mix{kernels::sort_by_expert(routes, groups, experts), routes.weights, {}, random_f32({rows, width}, 3), rows, slots, width};
  mix.y = random_f32({static_cast<int64_t>(mix.sorted.rows.size()), width}, 2);
  return mix;
}

std::vector<double> slow_combine(const Mix& mix, const std::vector<double>& y, const std::vector<double>& w) {
  std::vector<double> out(static_cast<size_t>(mix.rows * mix.width));
  for (size_t i = 0; i < mix.sorted.entry_of.size(); ++i)
    if (const int64_t entry = mix.sorted.entry_of[i]; entry >= 0)
      for (int64_t d = 0; d < mix.width; ++d)
        out[(i / static_cast<size_t>(mix.slots)) * static_cast<size_t>(mix.width) + static_cast<size_t>(d)] +=
            w[i] * y[static_cast<size_t>(entry * mix.width + d)];
  return out;
}

}  // namespace

TEST_CASE("rows are sorted by expert, in row order, and padded to an even count", "[expert_rows]") {
  // Row 0 -> 0, 1; row 1 -> 1, 2; row 2 -> 0, 1. Expert 0: rows 0, 2. Expert 1: 0, 1, 2, pad. Expert 2: 1, pad.
  const auto sorted = kernels::sort_by_expert(routes_of(3, 2, {0, 1, 1, 2, 0, 1}), {7, 7, 7}, 4);
  CHECK(sorted.offsets == Numbers{0, 2, 6, 8, 8});
  CHECK(sorted.rows == Numbers{0, 2, 0, 1, 2, -1, 1, -1});
  CHECK(sorted.slots == Numbers{0, 0, 1, 0, 1, -1, 1, -1});
  CHECK(sorted.entry_of == Numbers{0, 2, 3, 6, 1, 4});
}

TEST_CASE("an expert's count is even where the group changes", "[expert_rows]") {
  // One expert, rows of groups 0, 1, 1, 5: one of group 0 and a pad, two of group 1, one of group 5 and a pad.
  const auto sorted = kernels::sort_by_expert(routes_of(4, 1, {0, 0, 0, 0}), {0, 1, 1, 5}, 1);
  CHECK(sorted.rows == Numbers{0, -1, 1, 2, 3, -1});
  CHECK(sorted.offsets == Numbers{0, 6});
}

TEST_CASE("padding rows go to no expert and do not part a group", "[expert_rows]") {
  const auto sorted = kernels::sort_by_expert(routes_of(4, 1, {0, 0, 0, 0}), {3, -1, 3, -1}, 2);
  CHECK(sorted.rows == Numbers{0, 2});
  CHECK(sorted.entry_of == Numbers{0, -1, 1, -1});
  const auto none = kernels::sort_by_expert(routes_of(1, 1, {1}), {-1}, 2);
  CHECK(none.rows.empty());
  CHECK(none.offsets == Numbers{0, 0, 0});
}

TEST_CASE("no pair of entries spans two groups, whatever the mix", "[expert_rows]") {
  const auto mix = random_mix(200, 8, 2, 1);
  const auto& s = mix.sorted;
  for (size_t e = 0; e + 1 < s.offsets.size(); ++e) REQUIRE(s.offsets[e] % 2 == 0);
  int64_t taken = 0;
  for (size_t t = 0; t < s.rows.size(); t += 2) {
    REQUIRE(s.rows[t] >= 0);
    if (s.rows[t + 1] >= 0) REQUIRE(s.rows[t] / 13 == s.rows[t + 1] / 13);
    taken += 1 + (s.rows[t + 1] >= 0);
  }
  for (size_t i = 0; i < s.entry_of.size(); ++i)
    if (s.entry_of[i] >= 0) {
      const auto t = static_cast<size_t>(s.entry_of[i]);
      REQUIRE(static_cast<size_t>(s.rows[t] * 2 + s.slots[t]) == i);
    }
  CHECK(taken == 2 * (200 - 18));  // rows 10, 21, ..., 197 are padding
}

TEST_CASE("a batch of whole groups sorts like its parts, one after another", "[expert_rows]") {
  // The entries of an expert in the whole are those of the first part, then those of the second: the same pairs.
  const auto routes = kernels::route(random_f32({30, 4}, 1), {}, {.experts = 4, .active = 2});
  Numbers groups;
  for (int64_t n = 0; n < 30; ++n) groups.push_back(n < 17 ? 0 : 1);
  const auto part = [&](int64_t from, int64_t to) {
    kernels::Routes r{routes.experts.slice(0, from, to), {}, {}};
    return kernels::sort_by_expert(r, Numbers(groups.begin() + from, groups.begin() + to), 4);
  };
  const auto whole = kernels::sort_by_expert(routes, groups, 4), a = part(0, 17), b = part(17, 30);
  for (size_t e = 0; e < 4; ++e) {
    Numbers expected(a.rows.begin() + a.offsets[e], a.rows.begin() + a.offsets[e + 1]);
    for (int64_t t = b.offsets[e]; t < b.offsets[e + 1]; ++t)
      expected.push_back(b.rows[static_cast<size_t>(t)] < 0 ? -1 : b.rows[static_cast<size_t>(t)] + 17);
    CHECK(Numbers(whole.rows.begin() + whole.offsets[e], whole.rows.begin() + whole.offsets[e + 1]) == expected);
  }
}

TEST_CASE("groups out of order and unknown experts are refused", "[expert_rows]") {
  REQUIRE_THROWS_WITH(kernels::sort_by_expert(routes_of(2, 1, {0, 0}), {1, 0}, 1), Contains("group 0, after group 1"));
  REQUIRE_THROWS_WITH(kernels::sort_by_expert(routes_of(1, 1, {3}), {0}, 3), Contains("expert 3"));
  REQUIRE_THROWS_WITH(kernels::sort_by_expert(routes_of(2, 1, {0, 0}), {0}, 1), Contains("[2, 1]"));
}

TEST_CASE("a row's output is the weighted sum of its experts' outputs", "[expert_rows]") {
  // Row 0: 0.25 * y[0] + 0.75 * y[2]; row 1 is padding.
  const auto sorted = kernels::sort_by_expert(routes_of(2, 2, {0, 1, 0, 1}), {0, -1}, 2);
  CHECK(sorted.rows == Numbers{0, -1, 0, -1});
  const auto y = tensor_f32({4, 2}, {4, 8, 99, 99, 12, 16, 99, 99}), weights = tensor_f32({2, 2}, {0.25f, 0.75f, 5, 5});
  CHECK(values(kernels::combine_experts(y, sorted, weights)) == std::vector<float>{10, 14, 0, 0});
  // dy = weight * dout; dweight = dout . y: 1 * 4 + 2 * 8 = 20 and 1 * 12 + 2 * 16 = 44.
  const auto grad = kernels::combine_experts_backward(tensor_f32({2, 2}, {1, 2, 7, 7}), y, sorted, weights, Dtype::float32);
  CHECK(values(grad.y) == std::vector<float>{0.25f, 0.5f, 0, 0, 0.75f, 1.5f, 0, 0});
  CHECK(values(grad.weights) == std::vector<float>{20, 44, 0, 0});
}

TEST_CASE("combining agrees with float64, and its gradients with finite differences", "[expert_rows]") {
  const auto mix = random_mix(14, 4, 2, 7);
  const auto y = as(values(mix.y)), w = as(values(mix.weights)), dout = as(values(mix.dout));
  CHECK(max_difference(values(kernels::combine_experts(mix.y, mix.sorted, mix.weights)), slow_combine(mix, y, w)) < 1e-6);
  const auto grad = kernels::combine_experts_backward(mix.dout, mix.y, mix.sorted, mix.weights, Dtype::float32);
  require_gradient(values(grad.y), y, [&](const auto& at) { return dot(dout, slow_combine(mix, at, w)); });
  require_gradient(values(grad.weights), w, [&](const auto& at) { return dot(dout, slow_combine(mix, y, at)); });
  const auto half = kernels::combine_experts_backward(mix.dout, mix.y, mix.sorted, mix.weights, Dtype::bf16);
  CHECK((bytes(half.y) == bytes(kernels::rounded(grad.y, Dtype::bf16))));
  CHECK((bytes(half.weights) == bytes(grad.weights)));
}

TEST_CASE("combining gives the same bits on every instruction set and thread count", "[expert_rows][isa]") {
  for (const int64_t width : {1, 7, 16, 17, 64, 65, 128})
    for (const int64_t rows : {0, 1, 200}) {
      const auto mix = random_mix(rows, 8, 3, width);
      require_same_bits_everywhere([&] {
        const auto grad = kernels::combine_experts_backward(mix.dout, mix.y, mix.sorted, mix.weights, Dtype::bf16);
        return bytes(kernels::combine_experts(mix.y, mix.sorted, mix.weights)) + bytes(grad.y) + bytes(grad.weights);
      });
    }
}
