#include "reward/number.h"

#include "tests/support/catch.h"

using reward::Natural;
using reward::Rational;

namespace {
Rational fraction(const char* top, const char* bottom = "1") {
  const bool negative = top[0] == '-';
  const Rational size = {false, Natural::from_digits(top + negative), Natural::from_digits(bottom)};
  return negative ? size.negated() : size;
}
}  // namespace

TEST_CASE("naturals carry and borrow over limbs of nine digits", "[number]") {
  const auto a = Natural::from_digits("999999999999999999"), one = Natural::from_digits("1");
  REQUIRE((a + one).to_string() == "1000000000000000000");
  REQUIRE((a + one - one).to_string() == "999999999999999999");
  // (10^18 - 1)^2 = 10^36 - 2*10^18 + 1
  REQUIRE((a * a).to_string() == "999999999999999998000000000000000001");
  REQUIRE((a - a).is_zero());
  REQUIRE((a * Natural()).to_string() == "0");
  REQUIRE(Natural::from_digits("000") == Natural());
  REQUIRE(compare(a, a + one) == -1);
  REQUIRE(compare(a + one, a) == 1);
}

TEST_CASE("fractions add, subtract, multiply and divide exactly, with signs", "[number]") {
  const auto third = fraction("1", "3"), sixth = fraction("1", "6"), minus_half = fraction("-1", "2");
  REQUIRE(third + sixth == fraction("1", "2"));
  REQUIRE(sixth - third == fraction("-1", "6"));
  REQUIRE(third + minus_half == fraction("-1", "6"));
  REQUIRE(minus_half * minus_half == fraction("1", "4"));
  REQUIRE(*divide(third, minus_half) == fraction("-2", "3"));
  REQUIRE(minus_half - minus_half == fraction("-0"));
  REQUIRE(fraction("2", "4") == fraction("1", "2"));
  REQUIRE_FALSE(divide(third, fraction("-0")));
}

TEST_CASE("numbers far beyond 64 bits compare digit by digit", "[number]") {
  const std::string nines(900, '9');
  REQUIRE(fraction(nines.c_str()) == fraction(("00" + nines).c_str()));
  REQUIRE_FALSE(fraction(nines.c_str()) == fraction((nines.substr(1) + "8").c_str()));
  REQUIRE_FALSE(fraction("18446744073709551617") == fraction("1"));  // 2^64 + 1
}
