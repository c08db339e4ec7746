#include "reward/math/exact.h"

#include "tests/reward/math/read_tree.h"
#include "tests/support/catch.h"

namespace {

using namespace reward::math;

// The value as "p/q", or the state.
std::string value_of(const std::string& text, const Limits& limits = {}) {
  const auto tree = testing::read_tree(text);
  Work work(limits);
  const auto result = exact_value(tree, tree.root, work);
  switch (result.state) {
    case Exact::State::none: return "none";
    case Exact::State::undefined: return "undefined";
    case Exact::State::too_big: return "too big";
    case Exact::State::value: break;
  }
  char* digits = fmpq_get_str(nullptr, 10, result.value);
  std::string out = digits;
  flint_free(digits);
  return out;
}

}  // namespace

TEST_CASE("numerals have the value that is written", "[math][exact]") {
  CHECK(value_of("007") == "7");
  CHECK(value_of("0.50") == "1/2");
  CHECK(value_of("1.5e3") == "1500");
  CHECK(value_of("1.5e-3") == "3/2000");
  CHECK(value_of("204_5") == "54");  // 2*25 + 0*5 + 4
  CHECK(value_of("3F_16") == "63");  // 3*16 + 15
  CHECK(value_of("12_2") == "undefined");
  CHECK(value_of("0_1") == "undefined");
  CHECK(value_of("99_37") == "undefined");
  CHECK(value_of("x") == "none");
  CHECK(value_of("pi") == "none");
}

TEST_CASE("arithmetic is exact", "[math][exact]") {
  CHECK(value_of("(sum 0.1 0.2)") == "3/10");
  CHECK(value_of("(quotient (product 2 3) (negation 4))") == "-3/2");
  CHECK(value_of("(percent 28)") == "7/25");
  CHECK(value_of("(sum 1 x)") == "none");
}

TEST_CASE("a division by zero is undefined wherever it stands", "[math][exact]") {
  CHECK(value_of("(quotient 1 0)") == "undefined");
  CHECK(value_of("(quotient 0 0)") == "undefined");
  CHECK(value_of("(quotient 1 (quotient 1 0))") == "undefined");
  CHECK(value_of("(product 0 (quotient 1 0))") == "undefined");
  CHECK(value_of("(sum x (quotient 1 0))") == "undefined");
  CHECK(value_of("(power 0 (negation 1))") == "undefined");
  CHECK(value_of("(power 0 0)") == "undefined");
  CHECK(value_of("(root 5 0)") == "undefined");
  CHECK(value_of("(mod 5 0)") == "undefined");
  CHECK(value_of("(factorial (negation 1))") == "undefined");
}

TEST_CASE("perfect powers have rational roots, odd ones of negative numbers too", "[math][exact]") {
  CHECK(value_of("(root 4 2)") == "2");
  CHECK(value_of("(root (quotient 4 9) 2)") == "2/3");
  CHECK(value_of("(root (negation 27) 3)") == "-3");
  CHECK(value_of("(power 8 (quotient 2 3))") == "4");
  CHECK(value_of("(power 4 (negation (quotient 1 2)))") == "1/2");
  CHECK(value_of("(root 2 2)") == "none");
  CHECK(value_of("(root (negation 4) 2)") == "none");
}

TEST_CASE("functions of whole numbers", "[math][exact]") {
  CHECK(value_of("(factorial 5)") == "120");
  CHECK(value_of("(binomial 10 3)") == "120");
  CHECK(value_of("(binomial 3 10)") == "0");
  CHECK(value_of("(gcd 12 18)") == "6");
  CHECK(value_of("(lcm 4 6)") == "12");
  CHECK(value_of("(mod (negation 7) 3)") == "2");
  CHECK(value_of("(floor (negation 3.7))") == "-4");
  CHECK(value_of("(ceil (negation 3.7))") == "-3");
  CHECK(value_of("(max 2 7 5)") == "7");
  CHECK(value_of("(abs (negation 1.5))") == "3/2");
  CHECK(value_of("(sgn (negation 9))") == "-1");
}

TEST_CASE("logarithms of perfect powers are rational", "[math][exact]") {
  CHECK(value_of("(log 8 2)") == "3");
  CHECK(value_of("(log 2 8)") == "1/3");
  CHECK(value_of("(log 8 4)") == "3/2");  // 4^3 = 8^2
  CHECK(value_of("(log 1000)") == "3");
  CHECK(value_of("(log 0.01)") == "-2");
  CHECK(value_of("(log 3 2)") == "none");
  CHECK(value_of("(log 5 1)") == "undefined");
  CHECK(value_of("(ln 1)") == "0");
  CHECK(value_of("(ln 0)") == "undefined");
}

TEST_CASE("finite sums and products are added up", "[math][exact]") {
  CHECK(value_of("(finite_sum k 1 10 k)") == "55");
  CHECK(value_of("(finite_product k 1 5 k)") == "120");
  CHECK(value_of("(finite_sum k 3 2 k)") == "0");
  CHECK(value_of("(finite_product k 3 2 k)") == "1");
  CHECK(value_of("(finite_sum a 1 3 (finite_sum b 1 a (product a b)))") == "25");  // 1*1 + 2*(1+2) + 3*(1+2+3)
  CHECK(value_of("(finite_sum k 0 2 (quotient 1 k))") == "undefined");
  CHECK(value_of("(finite_sum k 1 n k)") == "none");
}

TEST_CASE("numbers that cannot be written down are not begun", "[math][exact]") {
  CHECK(value_of("(power 10 (power 10 9))") == "too big");
  CHECK(value_of("(power 9 (power 9 (power 9 9)))") == "too big");
  CHECK(value_of("(factorial (power 10 9))") == "too big");
  CHECK(value_of("(factorial (factorial (factorial (factorial 3))))") == "too big");
  CHECK(value_of("(binomial (power 10 12) (power 10 11))") == "too big");
  CHECK(value_of("1e999999999") == "too big");
  CHECK(value_of("1e-999999999") == "too big");
  CHECK(value_of("(power 1 (power 10 9))") == "1");
  CHECK(value_of("(power (negation 1) (sum 1 (power 10 9)))") == "-1");
  CHECK(value_of("(finite_sum k 1 (power 10 12) k)") == "none");
  Limits small;
  small.result_bits = 64;
  CHECK(value_of("(power 2 60)", small) == "1152921504606846976");
  CHECK(value_of("(power 2 70)", small) == "too big");
}

TEST_CASE("work is counted", "[math][exact]") {
  Limits little;
  little.work = 50;
  CHECK(value_of("(sum 1 2)", little) == "3");
  CHECK_THROWS_AS(value_of("(finite_sum k 1 1000 k)", little), LimitReached);
}
