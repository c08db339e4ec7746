#include "reward/number.h"

#include "tests/support/catch.h"

using reward::Natural;
using reward::parse_number;

namespace {
bool equal(const char* a, const char* b) {
  const auto x = parse_number(a), y = parse_number(b);
  INFO(a << " and " << b);
  REQUIRE((x && y));
  return *x == *y;
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
  const auto third = *parse_number("1/3"), sixth = *parse_number("1/6"), minus_half = *parse_number("-1/2");
  REQUIRE(third + sixth == *parse_number("0.5"));
  REQUIRE(sixth - third == *parse_number("-1/6"));
  REQUIRE(third + minus_half == *parse_number("-1/6"));
  REQUIRE(minus_half * minus_half == *parse_number("0.25"));
  REQUIRE(*divide(third, minus_half) == *parse_number("-2/3"));
  REQUIRE(minus_half - minus_half == *parse_number("-0"));
  REQUIRE_FALSE(divide(third, *parse_number("-0")));
}

TEST_CASE("numbers far beyond 64 bits compare digit by digit", "[number]") {
  const std::string nines(900, '9');
  REQUIRE(equal(nines.c_str(), ("00" + nines).c_str()));
  REQUIRE_FALSE(equal(nines.c_str(), (nines.substr(1) + "8").c_str()));
  REQUIRE(equal("18446744073709551617", "18446744073709551617.0"));
  REQUIRE_FALSE(equal("18446744073709551617", "1"));  // 2^64 + 1
  REQUIRE_FALSE(equal("0.1", "0.1000000000000000055511151231257827"));
}

TEST_CASE("what is not one number is none", "[number]") {
  for (const char* text : {"", " ", "-", ".", "1.2.3", "1,23", "1234,567", "0,123", ",123", "1,234,5", "1/0", "1/2/3", "1 2",
                           "--1", "+-1", "1e", "e5", "1e401", "1e9999", "0x10", "1_000", "inf", "nan", "\\frac{1}{0}",
                           "\\frac{1}",
                           "\\frac", "\\frac{1}{2", "\\frac{1}{2}3", "1\\frac{1}{2}", "١٢", "１２", "½", "2pi",
                           "(3)", "3!"}) {
    INFO(text);
    REQUIRE_FALSE(parse_number(text));
  }
  REQUIRE_FALSE(parse_number(std::string("1\0", 2)));
  REQUIRE(parse_number(std::string(1000, '7')));
  REQUIRE_FALSE(parse_number(std::string(1001, '7')));
}
