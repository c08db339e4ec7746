#include "tests/reward/math/compare_support.h"
#include "tests/support/catch.h"

namespace {

using reward::math::Conventions;
using testing::both_ways;
using testing::compared;

const std::string from_1_to_2 = "(relation < < 1 x 2)";

}  // namespace

TEST_CASE("x = v is v", "[math][compare_relations]") {
  CHECK(both_ways("(relation = x 5)", "5") == "equal");
  CHECK(both_ways("(relation = 5 x)", "5") == "equal");
  CHECK(both_ways("(relation = (call f x) (sum (power x 2) 1))", "(sum 1 (power x 2))") == "equal");
  CHECK(both_ways("(relation = (product A B) 5)", "5") == "equal");
  CHECK(both_ways("(relation = (product P (choice A)) 0.5)", "(quotient 1 2)") == "equal");
  CHECK(both_ways("(relation = (sin t) (quotient 3 5))", "0.6") == "equal");
  CHECK(both_ways("(relation = (sum 2 3) 5)", "5") == "equal");
  CHECK(both_ways("(relation = (tuple x y) (tuple 1 2))", "(tuple 1 2)") == "equal");
  CHECK(both_ways("(relation approx x 3.14)", "3.14") == "equal");
  CHECK(both_ways("(relation = y (sum (product 2 x) 3))", "(sum 3 (product 2 x))") == "equal");
  CHECK(both_ways("(relation = x 5)", "6") == "different");
  CHECK(both_ways("(relation = (sum 2 2) 5)", "5") == "different");
  CHECK(both_ways("(relation = x (sum x 5))", "(sum x 5)") == "different");
  CHECK(both_ways("(relation = (product 2 x) 4)", "4") == "different");
  CHECK(both_ways("(relation = (abs x) 5)", "5") == "different");
  CHECK(both_ways("(relation = (sum (product 3 x) (negation y) 13) 0)", "0") == "different");
  CHECK(both_ways("(relation != x 2)", "2") == "different");
  CHECK(both_ways("(relation > x 5)", "5") == "different");
  Conventions conventions;
  conventions.relation_is_value = false;
  CHECK(both_ways("(relation = x 5)", "5", conventions) == "different");
}

TEST_CASE("chains end in their value", "[math][compare_relations]") {
  CHECK(both_ways("(relation = = x (sum 2 3) 5)", "5") == "equal");
  CHECK(both_ways("(relation = = x (sum 2 3) 5)", "(relation = x 5)") == "equal");
  CHECK(both_ways("(relation = = x (sum 2 3) 6)", "5") == "different");
  CHECK(both_ways("(relation = = x (sum 2 3) 6)", "6") == "different");  // 2 + 3 is not 6
  CHECK(both_ways("(relation = = x 5 6)", "6") == "different");
  CHECK(both_ways("(relation = approx x (quotient 1 3) 0.33)", "(quotient 1 3)") == "equal");
  CHECK(both_ways("(relation approx (quotient 1 3) 0.33)", "(quotient 1 3)") == "equal");
  CHECK(both_ways("(relation approx (quotient 1 3) 0.33)", "0.33") == "different");
  CHECK(both_ways("(relation approx x 3.14)", "(relation = x 3.14)") == "equal");
}

TEST_CASE("equations are equal up to a factor", "[math][compare_relations]") {
  CHECK(both_ways("(relation = (product 2 x) 4)", "(relation = x 2)") == "equal");
  CHECK(both_ways("(relation = y (sum (product 2 x) 3))", "(relation = (sum (product 2 x) (negation y) 3) 0)") == "equal");
  CHECK(both_ways("(relation = y (product 0.5 x))", "(relation = (sum x (negation (product 2 y))) 0)") == "equal");
  CHECK(both_ways("(relation = y (quotient 1 x))", "(relation = (product x y) 1)") == "equal");
  CHECK(both_ways("(relation = a b)", "(relation = b a)") == "equal");
  CHECK(both_ways("(relation = (product (root 2 2) x) y)", "(relation = (product 2 x) (product (root 2 2) y))") == "equal");
  CHECK(both_ways("(relation = (sum (power x 2) (power y 2)) 4)", "(relation = (sum (power x 2) (power y 2)) 2)") == "different");
  CHECK(both_ways("(relation = x y)", "(relation = x (negation y))") == "different");
  CHECK(both_ways("(relation = y (power x 2))", "(relation = x (power y 2))") == "different");
  CHECK(both_ways("(relation = (sum (product 3 x) (negation y) 13) 0)", "(relation = (sum (product 3 x) (product 4 y) 14) 0)") ==
        "different");
  CHECK(both_ways("(relation = 0 0)", "(relation = x 0)") == "different");
  CHECK(both_ways("(relation = x 5)", "(relation = y 5)") == "different");
  CHECK(both_ways("(relation = (call f x) (sum (power x 2) 1))", "(relation = (call f x) (sum (power x 2) (negation 1)))") ==
        "different");
}

TEST_CASE("equations of degree one and two are solved", "[math][compare_relations]") {
  CHECK(both_ways("(relation = (power x 2) 4)", "(set 2 (negation 2))") == "equal");
  CHECK(both_ways("(relation = (sum (power x 2) (negation x) (negation 1)) 0)",
                  "(list (quotient (sum 1 (root 5 2)) 2) (quotient (sum 1 (negation (root 5 2))) 2))") == "equal");
  CHECK(both_ways("(relation = (power x 2) (negation 4))",
                  "(list (product 2 imaginary) (negation (product 2 imaginary)))") == "equal");
  CHECK(both_ways("(relation = (sum (product 3 x) (negation pi)) 0)", "(quotient pi 3)") == "equal");
  CHECK(both_ways("(or (relation = x 2) (relation = x (negation 2)))", "(relation = (power x 2) 4)") == "equal");
  CHECK(both_ways("(relation = (power (sum x (negation 2)) 2) 0)", "(relation = x 2)") == "equal");
  CHECK(both_ways("(relation = (power x 2) 4)", "(relation = x 2)") == "different");
  CHECK(both_ways("(relation = (power x 2) 4)", "2") == "different");
  CHECK(both_ways("(relation = (power x 2) 4)", "(set 2 (negation 3))") == "different");
  Conventions conventions;
  conventions.solve_relations = false;
  CHECK(both_ways("(relation = (power x 2) 4)", "(set 2 (negation 2))", conventions) == "different");
}

TEST_CASE("inequalities are equal up to a positive factor", "[math][compare_relations]") {
  CHECK(both_ways("(relation < x 1)", "(relation > (negation x) (negation 1))") == "equal");
  CHECK(both_ways("(relation < x 1)", "(relation > 1 x)") == "equal");
  CHECK(both_ways("(relation <= (sum x y) 1)", "(relation >= 2 (sum (product 2 x) (product 2 y)))") == "equal");
  CHECK(both_ways("(relation < x 1)", "(relation < (negation x) (negation 1))") == "different");
  CHECK(both_ways("(relation < x 1)", "(relation <= x 1)") == "different");
  CHECK(both_ways("(relation < x 1)", "(relation > x 1)") == "different");
  CHECK(both_ways("(relation < x 1)", "(relation < y 1)") == "different");
  CHECK(both_ways("(relation < (sum x y) 1)", "(relation <= (sum x y) 1)") == "different");
  CHECK(both_ways("(relation < (sum x y) 1)", "(relation < (sum x y) 2)") == "different");
  CHECK(both_ways("(relation != x y)", "(relation != y x)") == "equal");
  CHECK(both_ways("(relation != x 2)", "(relation = x 2)") == "different");
}

TEST_CASE("inequalities in one unknown are sets of points", "[math][compare_relations]") {
  CHECK(both_ways(from_1_to_2, "(interval \"()\" 1 2)") == "equal");
  CHECK(both_ways(from_1_to_2, "(interval \"[]\" 1 2)") == "different");
  CHECK(both_ways(from_1_to_2, "(and (relation > x 1) (relation < x 2))") == "equal");
  CHECK(both_ways("(relation >= x 3)", "(interval \"[)\" 3 infinity)") == "equal");
  CHECK(both_ways("(relation >= x 3)", "(interval \"()\" 3 infinity)") == "different");
  CHECK(both_ways("(relation in x (interval \"[)\" 0 1))", "(interval \"[)\" 0 1)") == "equal");
  CHECK(both_ways("(relation in x (interval \"[)\" 0 1))", "(relation notin x (interval \"[)\" 0 1))") == "different");
  CHECK(both_ways("(relation < (power x 2) 4)", "(relation < < (negation 2) x 2)") == "equal");
  CHECK(both_ways("(relation < (power x 2) 2)", "(interval \"()\" (negation (root 2 2)) (root 2 2))") == "equal");
  CHECK(both_ways("(relation < (power x 2) 4)", "(relation < x 2)") == "different");
  CHECK(both_ways("(relation > (power x 2) (negation 1))", "(number_set R)") == "equal");
  CHECK(both_ways("(relation < (abs (sum x (negation 1))) 2)", "(interval \"()\" (negation 1) 3)") == "equal");
  CHECK(both_ways("(relation >= (abs x) 2)", "(or (relation <= x (negation 2)) (relation >= x 2))") == "equal");
  CHECK(both_ways("(or (relation < x (negation 1)) (relation > x 1))",
                  "(union (interval \"()\" (negation infinity) (negation 1)) (interval \"()\" 1 infinity))") == "equal");
  CHECK(both_ways("(or (relation < x (negation 1)) (relation > x 1))", "(and (relation < x (negation 1)) (relation > x 1))") ==
        "different");
  CHECK(both_ways("(relation != x 2)", "(difference (number_set R) (set 2))") == "equal");
  Conventions conventions;
  conventions.relation_is_interval = false;
  CHECK(both_ways(from_1_to_2, "(interval \"()\" 1 2)", conventions) == "different");
}

TEST_CASE("several equations are matched in any order", "[math][compare_relations]") {
  CHECK(both_ways("(list (relation = x 1) (relation = y 2))", "(and (relation = y 2) (relation = x 1))") == "equal");
  CHECK(both_ways("(list (relation = x 1) (relation = y 2))", "(list (relation = x 2) (relation = y 1))") == "different");
  CHECK(both_ways("(or (relation = x 1) (relation = x 2))", "(list 1 2)") == "equal");
  CHECK(both_ways("(or (relation = x 1) (relation = x 2))", "(list 1 3)") == "different");
  CHECK(both_ways("(or (relation = x 1) (relation = x 2))", "1") == "different");
  CHECK(both_ways("(relation in x (set 1 2))", "(set 2 1)") == "equal");
}

TEST_CASE("an unknown function is no formula of its argument", "[math][compare_relations]") {
  CHECK(both_ways("(relation = x (call f 6))", "(relation = (sum x euler) (call f 7))") == "different");
  CHECK(both_ways("(relation = x (call f x))", "(relation = x (call g x))") == "different");
  CHECK(both_ways("(sum (call f x) (negation x))", "(sum (call g x) (negation x))") == "different");
  CHECK(both_ways("(relation < (call f 1) (call f 4))", "(relation < (call f 1) (call f 5))") == "different");
  CHECK(both_ways("(relation = y (call f (product 2 x)))", "(relation = y (call f (sum x x)))") == "equal");
  CHECK(both_ways("(finite_sum k 1 2 (call f k))", "(sum (call f 1) (call f 2))") == "equal");
}
