#include "kernels/rope.h"

#include "tests/support/catch.h"
#include "tests/support/compare.h"
#include "tests/support/every_isa.h"
#include "tests/support/random_tensor.h"
#include "tests/support/reference_ops.h"

using Catch::Contains;
using namespace testing;

namespace {

constexpr double kQuarterTurn = 1.57079632679489661923;

std::vector<double> frequencies(int64_t pairs) {
  std::vector<double> f;
  for (int64_t j = 0; j < pairs; ++j) f.push_back(std::pow(10000.0, -static_cast<double>(j) / static_cast<double>(pairs)));
  return f;
}

at::Tensor copy(const at::Tensor& x) { return kernels::add(x, kernels::zeros_f32({x.size(0), x.size(1), x.size(2)})); }

}  // namespace

TEST_CASE("a quarter turn takes (a, b) to (-b, a)", "[rope]") {
  // Frequencies pi/2 and pi, position 1: pair 0 turns by a quarter, pair 1 by a half.
  const std::vector<double> f = {kQuarterTurn, 2 * kQuarterTurn};
  const int32_t position[] = {1};
  SECTION("halves pair element j with j + J") {
    const auto x = tensor_f32({1, 1, 4}, {1, 2, 3, 4});  // pairs (1, 3) and (2, 4)
    kernels::rope_in_place(x, position, kernels::RopeTable(f, 2, false), 0);
    CHECK(max_difference(values(x), {-3, -2, 1, -4}) < 1e-6);
  }
  SECTION("interleaved pairs neighbours") {
    const auto x = tensor_f32({1, 1, 4}, {1, 2, 3, 4});  // pairs (1, 2) and (3, 4)
    kernels::rope_in_place(x, position, kernels::RopeTable(f, 2, true), 0);
    CHECK(max_difference(values(x), {-2, 1, -3, -4}) < 1e-6);
  }
}

TEST_CASE("position 0 changes nothing, and elements outside the turned part are left", "[rope]") {
  const auto x = random_f32({2, 3, 10}, 1), before = copy(x);
  const auto table = kernels::RopeTable(frequencies(2), 8, true);
  const int32_t zero[] = {0, 0}, some[] = {3, 7};
  kernels::rope_in_place(x, zero, table, 6);
  CHECK((bytes(x) == bytes(before)));
  kernels::rope_in_place(x, some, table, 6);
  CHECK((bytes(x) != bytes(before)));
  CHECK((bytes(x.slice(2, 0, 6).contiguous()) == bytes(before.slice(2, 0, 6).contiguous())));
}

TEST_CASE("the turn is as accurate as plain float32, for both pairings and any size", "[rope]") {
  for (const bool interleaved : {false, true})
    for (const int64_t pairs : {1, 7, 16, 17, 32}) {
      const int64_t size = 2 * pairs + 5, heads = 3;
      const auto x = random_f32({1, heads, size}, 4), got = copy(x);
      const int32_t position[] = {1234};
      kernels::rope_in_place(got, position, kernels::RopeTable(frequencies(pairs), 2000, interleaved), 3);
      INFO("pairs " << pairs << ", interleaved " << interleaved);
      const auto f = frequencies(pairs);
      require_as_accurate_as(values(got), reference::rope<float>(values(x), heads, size, 3, f, 1234, interleaved),
                             reference::rope<double>(as(values(x)), heads, size, 3, f, 1234, interleaved));
    }
}

TEST_CASE("a magnitude scales what turns, forward and backward", "[rope]") {
  const auto x = tensor_f32({1, 1, 3}, {1, 2, 7});  // (1, 2) turns by a quarter and doubles: (-4, 2)
  const kernels::RopeTable table({kQuarterTurn}, 2, true, 2.0);
  const int32_t position[] = {1};
  kernels::rope_in_place(x, position, table, 0);
  CHECK(max_difference(values(x), {-4, 2, 7}) < 1e-6);
  // dx = 2 R^T dy: (3, 5) turned back by a quarter is (5, -3).
  const auto dy = tensor_f32({1, 1, 2}, {3, 5});
  kernels::rope_in_place(dy, position, table, 0, true);
  CHECK(max_difference(values(dy), {10, -6}) < 2e-6);
}

TEST_CASE("turning back is the gradient of the turn, and undoes it", "[rope]") {
  for (const bool interleaved : {false, true}) {
    const auto table = kernels::RopeTable(frequencies(4), 10, interleaved);
    const auto x = random_f32({1, 2, 8}, 1), dx = random_f32({1, 2, 8}, 2);
    const auto dy = as(values(dx));
    const int32_t position[] = {9};
    kernels::rope_in_place(dx, position, table, 0, true);
    require_gradient(values(dx), as(values(x)), [&](const auto& at) {
      return dot(dy, reference::rope<double>(at, 2, 8, 0, frequencies(4), 9, interleaved));
    });
    const auto there = copy(x);
    kernels::rope_in_place(there, position, table, 0);
    kernels::rope_in_place(there, position, table, 0, true);
    CHECK(max_difference(values(there), as(values(x))) < 1e-6);
  }
}

TEST_CASE("a position outside the table is an error", "[rope]") {
  const auto table = kernels::RopeTable(frequencies(2), 4, false);
  const int32_t late[] = {4}, negative[] = {-1};
  REQUIRE_THROWS_WITH(kernels::rope_in_place(random_f32({1, 1, 4}, 1), late, table, 0), Contains("position 4"));
  REQUIRE_THROWS_WITH(kernels::rope_in_place(random_f32({1, 1, 4}, 1), negative, table, 0), Contains("position -1"));
  REQUIRE_THROWS_WITH(kernels::rope_in_place(random_f32({1, 1, 4}, 1), late, table, 1), Contains("elements 1 to 5"));
}

TEST_CASE("the turn gives the same bits on every instruction set and thread count", "[rope][isa]") {
  for (const bool interleaved : {false, true})
    for (const int64_t pairs : {0, 1, 7, 16, 17, 64, 65})
      for (const int64_t rows : {0, 1, 150}) {
        const auto x = random_f32({rows, 3, 2 * pairs + 1}, 4);
        std::vector<int32_t> positions(static_cast<size_t>(rows));
        for (size_t n = 0; n < positions.size(); ++n) positions[n] = static_cast<int32_t>(n * 37 % 200);
        const auto table = kernels::RopeTable(frequencies(pairs), 200, interleaved);
        require_same_bits_everywhere([&] {
          const auto y = copy(x);
          kernels::rope_in_place(y, positions.data(), table, 1);
          const std::string turned = bytes(y);
          kernels::rope_in_place(y, positions.data(), table, 0, true);
          return turned + bytes(y);
        });
      }
}

TEST_CASE("a table of a million positions holds only what was asked for, with the bits of a short one", "[rope]") {
  const kernels::RopeTable wide(frequencies(4), 1000000, false), narrow(frequencies(4), 1500, false);
  CHECK(wide.bytes() == 0);
  const auto x = random_f32({3, 2, 8}, 1);
  const at::Tensor a = x.clone(), b = x.clone();
  const int32_t positions[] = {0, 1023, 1499};
  kernels::rope_in_place(a, positions, wide, 0);
  kernels::rope_in_place(b, positions, narrow, 0);
  CHECK(same_bits(a, b));
  CHECK(wide.bytes() == 2 * 1024 * 2 * 4 * 4);  // two chunks of 1,024 positions: cos and sin of 4 pairs, 4 bytes each
}
