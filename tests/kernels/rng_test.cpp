#include "kernels/rng.h"

#include <cmath>
#include <set>

#include "kernels/error.h"
#include "tests/support/catch.h"

using kernels::Purpose;
using kernels::RandomKey;
using Words = std::array<uint32_t, 4>;

TEST_CASE("Philox4x32-10 gives the known answers of the Random123 library", "[rng]") {
  CHECK(kernels::philox4x32({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(kernels::philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(kernels::philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("every field of the key changes the number, high bits included", "[rng]") {
  const RandomKey base{.seed = 1, .purpose = Purpose::train, .step = 1, .group = 1, .sample = 1, .position = 1};
  std::set<Words> seen{kernels::random_words(base)};
  const auto add = [&](RandomKey key) { return seen.insert(kernels::random_words(key)).second; };
  RandomKey key;
  CHECK((key = base, key.seed = 2, add(key)));
  CHECK((key = base, key.seed |= uint64_t{1} << 63, add(key)));
  CHECK((key = base, key.purpose = Purpose::eval, add(key)));
  CHECK((key = base, key.purpose = Purpose::init, add(key)));
  CHECK((key = base, key.step = 2, add(key)));
  CHECK((key = base, key.step |= uint64_t{1} << 40, add(key)));
  CHECK((key = base, key.group = 2, add(key)));
  CHECK((key = base, key.group |= uint64_t{1} << 40, add(key)));
  CHECK((key = base, key.sample = 2, add(key)));
  CHECK((key = base, key.position = 2, add(key)));
  CHECK_FALSE(add(base));
}

TEST_CASE("neighbouring keys never repeat", "[rng]") {
  std::set<Words> seen;
  for (uint32_t position = 0; position < 40; ++position)
    for (uint32_t sample = 0; sample < 10; ++sample)
      for (uint64_t group = 0; group < 10; ++group)
        for (const auto purpose : {Purpose::train, Purpose::eval})
          seen.insert(kernels::random_words(
              {.seed = 5, .purpose = purpose, .step = 3, .group = group, .sample = sample, .position = position}));
  CHECK(seen.size() == 40 * 10 * 10 * 2);
}

TEST_CASE("units are uniform in [0, 1)", "[rng]") {
  // 1e5 draws in 20 bins of 5,000: chi-squared has mean 19 and deviation sqrt(38) = 6.2; 50 is five deviations up.
  std::array<int, 20> bins{};
  for (uint32_t i = 0; i < 100000; ++i) {
    const double u = kernels::random_unit({.seed = 3, .position = i});
    REQUIRE((u >= 0.0 && u < 1.0));
    ++bins[static_cast<size_t>(u * 20)];
  }
  double chi = 0;
  for (const int n : bins) chi += (n - 5000.0) * (n - 5000.0) / 5000.0;
  CHECK(chi < 50.0);
  CHECK(chi > 3.0);
}

TEST_CASE("whole numbers below a bound are uniform and never reach it", "[rng]") {
  std::array<int, 7> bins{};
  for (uint32_t i = 0; i < 70000; ++i) {
    const uint64_t n = kernels::random_below({.seed = 4, .position = i}, 7);
    REQUIRE(n < 7);
    ++bins[n];
  }
  double chi = 0;
  for (const int n : bins) chi += (n - 10000.0) * (n - 10000.0) / 10000.0;
  CHECK(chi < 6 + 5 * std::sqrt(12.0));
  CHECK(kernels::random_below({.seed = 4}, 1) == 0);
  // 2^64 words onto 3 * 2^62 numbers: of four words in a row two would fall on the number 3n, one each on 3n + 1 and
  // 3n + 2, if none were refused. So half of the draws would be multiples of 3, not a third.
  const uint64_t bound = uint64_t{3} << 62;
  int multiples = 0;
  for (uint32_t i = 0; i < 4000; ++i) {
    const uint64_t n = kernels::random_below({.seed = 6, .position = i}, bound);
    REQUIRE(n < bound);
    multiples += n % 3 == 0;
  }
  CHECK(std::abs(multiples - 4000.0 / 3) < 5 * std::sqrt(4000 * 2.0 / 9));
  REQUIRE_THROWS_AS(kernels::random_below({}, 0), kernels::Error);
}

TEST_CASE("normals have the moments of a standard normal", "[rng]") {
  // n = 4e5: the mean deviates by 1/sqrt(n) = 0.0016, the variance by sqrt(2/n) = 0.0022, the fourth moment by sqrt(96/n).
  const int n = 400000;
  double sum = 0, squares = 0, fourth = 0, neighbours = 0;
  for (uint32_t i = 0; i < n / 4; ++i) {
    const auto x = kernels::random_normals({.seed = 9, .purpose = Purpose::init, .position = i});
    for (const double v : x) sum += v, squares += v * v, fourth += v * v * v * v;
    neighbours += double(x[0]) * x[1] + double(x[2]) * x[3];
  }
  CHECK(std::abs(sum / n) < 5 * 0.0016);
  CHECK(std::abs(squares / n - 1) < 5 * 0.0022);
  CHECK(std::abs(fourth / n - 3) < 5 * std::sqrt(96.0 / n));
  CHECK(std::abs(neighbours / (n / 2)) < 5 / std::sqrt(n / 2.0));
}
