#include "tests/reward/math/compare_support.h"
#include "tests/support/catch.h"

namespace {

using reward::math::Conventions;
using testing::both_ways;
using testing::compared;

}  // namespace

TEST_CASE("lists and sets have no order", "[math][compare_sets]") {
  CHECK(both_ways("(list 1 2 3)", "(list 3 2 1)") == "equal");
  CHECK(both_ways("(set 0.5 1)", "(set 1 (quotient 1 2))") == "equal");
  CHECK(both_ways("(list 1 2)", "(set 1 2)") == "equal");
  CHECK(both_ways("(list 1 2)", "(list 1 3)") == "different");
  CHECK(both_ways("(list 1 2 3)", "(list 1 2)") == "different");
  CHECK(both_ways("(list 4 5)", "4") == "different");
  CHECK(both_ways("(set 1 2)", "(set 1 (negation 2))") == "different");
  CHECK(both_ways("(list (tuple 1 2) (tuple 3 4))", "(list (tuple 3 4) (tuple 1 2))") == "equal");
  CHECK(both_ways("(list (tuple 1 2) (tuple 3 4))", "(list (tuple 2 1) (tuple 3 4))") == "different");
}

TEST_CASE("a set counts members once, a list does not", "[math][compare_sets]") {
  CHECK(both_ways("(set 1 1 2)", "(set 1 2)") == "equal");
  CHECK(both_ways("(list 5 5 6)", "(list 5 6 5)") == "equal");
  CHECK(both_ways("(list 5 5 6)", "(list 5 6 6)") == "different");
  CHECK(both_ways("(list 1 1 2)", "(list 1 2)") == "different");
  CHECK(both_ways("(list 3 3)", "3") == "different");
  CHECK(both_ways("(set 5)", "5") == "equal");
  CHECK(both_ways("empty_set", "(set)") == "equal");
  CHECK(both_ways("empty_set", "0") == "different");
  CHECK(both_ways("empty_set", "(set 0)") == "different");
}

TEST_CASE("members are matched, not sorted", "[math][compare_sets]") {
  // 0.333333 equals 1/3 by its digits, and 0.3333333 equals both: a greedy choice of 0.3333333 for 1/3 would leave none over.
  CHECK(both_ways("(list 0.3333333 0.333333)", "(list (quotient 1 3) 0.3333333)") == "equal");
  CHECK(both_ways("(set (root 2 2) (negation (root 2 2)))", "(set (negation (power 2 0.5)) (power 2 0.5))") == "equal");
}

TEST_CASE("plus-minus is the set of two values", "[math][compare_sets]") {
  CHECK(both_ways("(plus_minus 2)", "(list (negation 2) 2)") == "equal");
  CHECK(both_ways("(plus_minus 3 (root 5 2))", "(list (sum 3 (root 5 2)) (sum 3 (negation (root 5 2))))") == "equal");
  CHECK(both_ways("(plus_minus - 2)", "(plus_minus 2)") == "equal");
  CHECK(both_ways("(relation = x (plus_minus 3))", "(set 3 (negation 3))") == "equal");
  CHECK(both_ways("(relation = (power x 2) 4)", "(relation = x (plus_minus 2))") == "equal");
  CHECK(both_ways("(list (plus_minus 1) (plus_minus 2))", "(list 1 2 (negation 1) (negation 2))") == "equal");
  CHECK(both_ways("(plus_minus 0)", "0") == "equal");
  CHECK(both_ways("(plus_minus (plus_minus 1))", "(plus_minus 1)") == "equal");
  CHECK(both_ways("(plus_minus (plus_minus 1))", "1") == "different");
  CHECK(both_ways("(plus_minus (plus_minus 1 2) 3)", "(list 6 (negation 4))") == "equal");  // 1+2+3 and 1-2-3
  CHECK(both_ways("(plus_minus 2)", "2") == "different");
  CHECK(both_ways("(plus_minus 2)", "(negation 2)") == "different");
  CHECK(both_ways("(plus_minus 1)", "(list 1 1)") == "different");
  CHECK(both_ways("(plus_minus 3 (root 5 2))", "(plus_minus 5 (root 3 2))") == "different");
}

TEST_CASE("tuples have an order, and a pair may be an interval", "[math][compare_sets]") {
  CHECK(both_ways("(tuple 3 (quotient pi 2))", "(tuple 3 (product 0.5 pi))") == "equal");
  CHECK(both_ways("(tuple 1 2)", "(tuple 2 1)") == "different");
  CHECK(both_ways("(tuple 1 2)", "(tuple 1 2 3)") == "different");
  CHECK(both_ways("(tuple 1 3)", "(set 1 3)") == "different");
  CHECK(both_ways("(tuple 1 3)", "(list 1 3)") == "different");
  CHECK(both_ways("(tuple 1 (tuple 2 3))", "(tuple (tuple 1 2) 3)") == "different");
  CHECK(both_ways("(tuple 1 2)", "(relation < < 1 x 2)") == "equal");
  CHECK(both_ways("(tuple 1 2)", "(interval \"()\" 1 2)") == "equal");
  CHECK(both_ways("(tuple 1 2)", "(interval \"[]\" 1 2)") == "different");
  CHECK(both_ways("(list (relation = y 2) (relation = x 1))", "(tuple 1 2)") == "equal");  // x before y
  CHECK(both_ways("(list (relation = y 1) (relation = x 2))", "(tuple 1 2)") == "different");
  Conventions conventions;
  conventions.unordered_tuples = true;
  CHECK(both_ways("(tuple 1 2)", "(tuple 2 1)", conventions) == "equal");
  conventions = {};
  conventions.interval_is_tuple = false;
  CHECK(both_ways("(tuple 1 2)", "(interval \"()\" 1 2)", conventions) == "different");
}

TEST_CASE("intervals know their ends", "[math][compare_sets]") {
  CHECK(both_ways("(interval \"[)\" 0 1)", "(interval \"[)\" 0.0 1)") == "equal");
  CHECK(both_ways("(interval \"[)\" 0 1)", "(interval \"(]\" 0 1)") == "different");
  CHECK(both_ways("(interval \"[]\" 0 1)", "(interval \"()\" 0 1)") == "different");
  CHECK(both_ways("(interval \"[]\" 1 2)", "(set 1 2)") == "different");
  CHECK(both_ways("(interval \"()\" (root 2 2) infinity)", "(interval \"()\" (power 2 0.5) infinity)") == "equal");
  CHECK(both_ways("(interval \"()\" (root 2 2) infinity)", "(interval \"()\" (root 3 2) infinity)") == "different");
  CHECK(both_ways("(interval \"()\" 0 infinity)", "(interval \"()\" (negation infinity) 0)") == "different");
  CHECK(both_ways("(interval \"[)\" 0 n)", "(interval \"[)\" 0 (product 1 n))") == "equal");
  CHECK(both_ways("(interval \"[)\" 0 n)", "(interval \"[]\" 0 n)") == "different");
  Conventions conventions;
  conventions.ignore_interval_ends = true;
  CHECK(both_ways("(interval \"[)\" 0 1)", "(interval \"(]\" 0 1)", conventions) == "equal");
  CHECK(both_ways("(interval \"[)\" 0 1)", "(interval \"[)\" 0 2)", conventions) == "different");
}

TEST_CASE("unions are sets of points", "[math][compare_sets]") {
  CHECK(both_ways("(union (interval \"(]\" 0 1) (interval \"[)\" 1 2))", "(tuple 0 2)") == "equal");
  CHECK(both_ways("(union (tuple 1 2) (tuple 2 3))", "(tuple 1 3)") == "different");
  CHECK(both_ways("(union (tuple 1 2) (tuple 2 3))", "(union (tuple 2 3) (tuple 1 2))") == "equal");
  CHECK(both_ways("(union (interval \"[)\" 0 2) (set 2))", "(interval \"[]\" 0 2)") == "equal");
  CHECK(both_ways("(intersection (tuple 1 5) (tuple 3 8))", "(tuple 3 5)") == "equal");
  CHECK(both_ways("(difference (number_set R) (set 2))",
                  "(union (interval \"()\" (negation infinity) 2) (interval \"()\" 2 infinity))") == "equal");
  CHECK(both_ways("(difference (number_set R) (set 2))", "(number_set R)") == "different");
  CHECK(both_ways("(difference (number_set R) (set 2))", "(set 2)") == "different");
  CHECK(both_ways("(number_set R)", "(interval \"()\" (negation infinity) infinity)") == "equal");
  CHECK(both_ways("(number_set R)", "(number_set Q)") == "different");
  CHECK(both_ways("(union (set 1 2) (set 3))", "(set 1 2 3)") == "equal");
  CHECK(both_ways("(intersection (set 1 2) (set 2 3))", "(set 1 2 3)") == "different");
  CHECK(both_ways("(intersection (set 1 2) (set 2 3))", "(set 2)") == "equal");
}
