#include "reward/math/compare.h"

#include <thread>
#include <vector>

#include "tests/reward/math/compare_support.h"
#include "tests/support/catch.h"

namespace {

using namespace reward::math;
using testing::both_ways;
using testing::compared;

std::string reason(const std::string& a, const std::string& b) {
  return compare(testing::read_tree(a), testing::read_tree(b), {}, {}).reason;
}

}  // namespace

TEST_CASE("each stage says that it decided", "[math][compare]") {
  CHECK(reason("5", "5") == "same");
  CHECK(reason("0.5", "(quotient 1 2)") == "rational");
  CHECK(reason("(root 12 2)", "(product 2 (root 3 2))") == "normal_form");
  CHECK(reason("(root (sum 3 (product 2 (root 2 2))) 2)", "(sum 1 (root 2 2))") == "ball");
  CHECK(reason("(set 1 2)", "(set 2 1)") == "set");
  CHECK(reason("\"yes\"", "\"no\"") == "text");
}

TEST_CASE("tiny and huge numbers keep their differences", "[math][compare]") {
  CHECK(both_ways("(quotient 1 (factorial 2004))", "(quotient 1 (factorial 2006))") == "different");
  CHECK(both_ways("(quotient (factorial 2004) (factorial 2003))", "2004") == "equal");
  CHECK(both_ways("(power 2 (negation 99))", "(power 2 (negation 98))") == "different");
  CHECK(both_ways("(power 2 (negation 99))", "(quotient 1 (power 2 99))") == "equal");
  CHECK(both_ways("0.0000001", "0") == "different");
  CHECK(both_ways("0.0000001", "0.0000002") == "different");
  CHECK(both_ways("10000", "10001") == "different");
  CHECK(both_ways("(sum 1 (negation (quotient 1 euler)))", "(sum 1 (quotient 1 euler))") == "different");
  CHECK(both_ways("(sum (power 9 (power 9 9)) 1)", "(power 9 (power 9 9))") == "different");
  CHECK(both_ways("(sum x (power 10 (negation 400)))", "x") == "different");
  // the difference of the two is sqrt(2) - sqrt(3), far below the precision of the balls of both sides
  CHECK(both_ways("(sum (power 2 1000000000) (root 2 2))", "(sum (power 2 1000000000) (root 3 2))") == "different");
}

TEST_CASE("expressions in symbols", "[math][compare]") {
  CHECK(both_ways("(root (quotient 1 n) 2)", "(quotient 1 (root n 2))") == "equal");
  CHECK(both_ways("(root (power x 2) 2)", "x") == "different");
  CHECK(both_ways("(binomial n 3)", "(quotient (product n (sum n (negation 1)) (sum n (negation 2))) 6)") == "equal");
  CHECK(both_ways("(binomial n 3)", "(quotient (product n (sum n (negation 1)) (sum n 2)) 6)") == "different");
  CHECK(both_ways("(sum a b c)", "(sum c b a)") == "equal");
  CHECK(both_ways("x_1", "x_2") == "different");
  CHECK(both_ways("(power 2 (power 2 n))", "(power 4 n)") == "different");
  CHECK(both_ways("(finite_sum k 0 3 (power x k))", "(sum 1 x (power x 2) (power x 3))") == "equal");
  CHECK(both_ways("(finite_sum k 0 3 (power x k))", "(sum 1 x (power x 2))") == "different");
}

TEST_CASE("two undefined things are equal only as the same words", "[math][compare]") {
  CHECK(both_ways("(quotient 1 0)", "(quotient 1 0)") == "equal");
  CHECK(both_ways("(quotient 1 0)", "(quotient 2 0)") == "undecided");
  CHECK(both_ways("(quotient 0 0)", "1") == "different");
  CHECK(both_ways("(quotient 1 0)", "0") == "different");
  CHECK(both_ways("(quotient 1 (sum x (negation x)))", "1") == "different");
  CHECK(both_ways("(quotient 1 (sum x (negation x)))", "(quotient 2 (sum y (negation y)))") == "undecided");
  CHECK(compared("(tan (quotient pi 2))", "0") != "equal");
  CHECK(compared("(quotient 1 (sin pi))", "(product 1 (quotient 1 (sin pi)))") == "undecided");
  CHECK(both_ways("infinity", "(negation infinity)") == "different");
  CHECK(both_ways("infinity", "(product 2 infinity)") == "equal");
  CHECK(both_ways("infinity", "5") == "different");
  CHECK(both_ways("(sum infinity (negation infinity))", "0") == "undecided");
}

TEST_CASE("decimals are exact, or agree in six digits", "[math][compare]") {
  CHECK(both_ways("0.333333", "(quotient 1 3)") == "equal");
  CHECK(both_ways("0.6666667", "(quotient 2 3)") == "equal");   // rounded
  CHECK(both_ways("0.66666666", "(quotient 2 3)") == "equal");  // cut
  CHECK(both_ways("0.666666", "(quotient 2 3)") == "different");  // six digits of it would be 0.666667
  CHECK(both_ways("0.66666668", "(quotient 2 3)") == "different");
  CHECK(both_ways("3.14159", "pi") == "equal");
  CHECK(both_ways("(negation 3.14159)", "(negation pi)") == "equal");
  CHECK(both_ways("(percent 33.3333)", "(quotient 1 3)") == "equal");
  CHECK(both_ways("3.14160", "pi") == "different");
  CHECK(both_ways("3.14159265358979323846", "pi") == "equal");
  CHECK(both_ways("3.14159265358979323847", "pi") == "different");  // the last digit raised by one
  CHECK(both_ways("3.14159", "(negation pi)") == "different");
  CHECK(both_ways("0.33", "(quotient 1 3)") == "different");
  CHECK(both_ways("0.333334", "(quotient 1 3)") == "different");
  CHECK(both_ways("1.414", "(root 2 2)") == "different");
  CHECK(both_ways("3.999999", "4") == "different");    // never on whole numbers
  CHECK(both_ways("0.99999999", "1") == "different");
  CHECK(both_ways("1234567.5", "1234567") == "different");
  CHECK(both_ways("1234.567", "1234.568") == "different");  // the last digit raised by one
  CHECK(both_ways("3.141593", "3.14159265") == "equal");    // two literals: one is the other rounded
  CHECK(both_ways("3.141594", "3.14159265") == "different");
  CHECK(both_ways("3.14", "3.1416") == "different");
  CHECK(both_ways("12.000", "12") == "equal");
}

TEST_CASE("conventions for decimals", "[math][compare]") {
  Conventions exact_only;
  exact_only.decimal_digits = 0;
  CHECK(both_ways("3.14159265", "pi", exact_only) == "different");
  Conventions rounding;
  rounding.round_to_gold = true;
  CHECK(compared("(quotient 1 3)", "0.33", rounding) == "equal");
  CHECK(compared("0.333", "0.33", rounding) == "equal");
  CHECK(compared("0.34", "0.33", rounding) == "different");
  CHECK(compared("0.33", "(quotient 1 3)", rounding) == "different");  // the gold is no decimal
  Conventions tolerant;
  tolerant.relative_tolerance = 1e-4;
  CHECK(both_ways("3.1416", "pi", tolerant) == "equal");
  CHECK(both_ways("3.15", "pi", tolerant) == "different");
  CHECK(both_ways("10000", "10001", tolerant) == "different");
}

TEST_CASE("units may be missing but never differ", "[math][compare]") {
  CHECK(both_ways("(quantity \"cm\" 5)", "5") == "equal");
  CHECK(both_ways("(quantity \"cm\" 5)", "(quantity \"cm\" 5.0)") == "equal");
  CHECK(both_ways("(quantity \"cm\" 5)", "(quantity \"m\" 5)") == "different");
  CHECK(both_ways("(quantity \"cm\" 5)", "(quantity \"cm^2\" 5)") == "different");
  CHECK(both_ways("(quantity \"cm\" 5)", "6") == "different");
  CHECK(both_ways("(quantity \"m\" 5)", "(product 5 m)") == "equal");  // the other side uses m as a variable
  CHECK(both_ways("(quantity \"m\" 5)", "(sum 5 m)") == "different");
  CHECK(both_ways("(relation = x (quantity \"cm\" 5))", "5") == "equal");
  Conventions strict;
  strict.units_optional = false;
  CHECK(both_ways("(quantity \"cm\" 5)", "5", strict) == "different");
}

TEST_CASE("degrees and radians are two units", "[math][compare]") {
  CHECK(both_ways("(quantity \"radian\" 69)", "(degrees 69)") == "different");
  CHECK(both_ways("(quantity \"radian\" (quotient pi 4))", "(degrees 45)") == "equal");
  CHECK(both_ways("(quantity \"cm\" 45)", "(degrees 45)") == "different");
  CHECK(both_ways("(quantity \"radian\" (quotient pi 4))", "(quotient pi 4)") == "equal");
}

TEST_CASE("percent", "[math][compare]") {
  CHECK(both_ways("(percent 28)", "0.28") == "equal");
  CHECK(both_ways("(percent 28)", "28") == "different");
  CHECK(both_ways("(percent 28)", "(percent 28.0)") == "equal");
  CHECK(both_ways("(percent 28)", "(percent 0.28)") == "different");
  Conventions optional_sign;
  optional_sign.percent_sign_optional = true;
  CHECK(both_ways("(percent 28)", "28", optional_sign) == "equal");
  CHECK(both_ways("(percent 28)", "2.8", optional_sign) == "different");
  Conventions never;
  never.percent_is_hundredth = false;
  CHECK(both_ways("(percent 28)", "0.28", never) == "different");
}

TEST_CASE("degrees", "[math][compare]") {
  CHECK(both_ways("(degrees 45)", "45") == "equal");
  CHECK(both_ways("(degrees 45)", "(degrees 46)") == "different");
  CHECK(both_ways("(degrees 45)", "(quotient pi 4)") == "equal");
  CHECK(both_ways("(degrees 45)", "(quotient pi 3)") == "different");
  CHECK(both_ways("(degrees 180)", "3.14159265") == "different");  // radians are written with pi
  CHECK(both_ways("(sum (degrees 90) (negation (degrees 30)))", "(degrees 60)") == "equal");
  CHECK(both_ways("(sin (degrees 30))", "(quotient 1 2)") == "equal");
  CHECK(both_ways("(sin 30)", "(quotient 1 2)") == "different");
  CHECK(both_ways("(product 4 (sin (degrees 75)))", "(sum (root 6 2) (root 2 2))") == "equal");
  CHECK(both_ways("(cos (degrees 60))", "(cos 60)") == "different");
  Conventions strict;
  strict.degrees_optional = false;
  CHECK(both_ways("(degrees 45)", "45", strict) == "different");
}

TEST_CASE("numerals of another base are another answer", "[math][compare]") {
  CHECK(both_ways("204_5", "204_5") == "equal");
  CHECK(both_ways("0204_5", "204_5") == "equal");
  CHECK(both_ways("12_3", "12_5") == "different");
  CHECK(both_ways("204_5", "54") == "different");  // 2*25 + 4 = 54, but in base ten
  CHECK(both_ways("54_10", "54") == "equal");
  CHECK(both_ways("(sum 10_2 1)", "3") == "equal");
}

TEST_CASE("words and letters", "[math][compare]") {
  CHECK(both_ways("\"yes\"", "\"yes\"") == "equal");
  CHECK(both_ways("\"yes\"", "\"no\"") == "different");
  CHECK(both_ways("\"yes and no\"", "\"yes\"") == "different");
  CHECK(both_ways("(choice B)", "B") == "equal");
  CHECK(both_ways("(choice B)", "b") == "different");
  CHECK(both_ways("(choice B)", "\"b\"") == "equal");
  CHECK(both_ways("(choice E)", "euler") == "different");
  CHECK(both_ways("(choice B)", "2") == "different");
  CHECK(both_ways("\"monday\"", "1") == "different");
  CHECK(both_ways("(product (choice A) (choice B))", "(product B A)") == "equal");
}

TEST_CASE("fractions as written, for the profile that does not reduce them", "[math][compare]") {
  Conventions conventions;
  conventions.reduce_fractions = false;
  CHECK(both_ways("(quotient 2 4)", "(quotient 1 2)", conventions) == "different");
  CHECK(both_ways("(quotient 4 2)", "2", conventions) == "different");
  CHECK(both_ways("(quotient 1 2)", "0.5", conventions) == "equal");
  CHECK(both_ways("(negation (quotient 1 2))", "(quotient (negation 1) 2)", conventions) == "equal");
}

TEST_CASE("strings only: nothing else counts", "[math][compare]") {
  Conventions conventions;
  conventions.strings_only = true;
  CHECK(both_ways("(quotient 1 2)", "(quotient 1 2)", conventions) == "equal");
  CHECK(both_ways("(quotient 1 2)", "0.5", conventions) == "different");
  CHECK(both_ways("(sum 1 x)", "(sum x 1)", conventions) == "different");
}

TEST_CASE("matrices, vectors and ratios", "[math][compare]") {
  CHECK(both_ways("(matrix 2 1 2 3 4)", "(matrix 2 1 2.0 3 (quotient 8 2))") == "equal");
  CHECK(both_ways("(matrix 2 1 2 3 4)", "(matrix 2 1 3 2 4)") == "different");
  CHECK(both_ways("(matrix 1 1 2)", "(matrix 2 1 2)") == "different");
  CHECK(both_ways("(product (quotient 1 2) (matrix 2 1 2 3 4))", "(matrix 2 0.5 1 1.5 2)") == "equal");
  CHECK(both_ways("(sum (matrix 1 1 2) (negation (matrix 1 0 1)))", "(matrix 1 1 1)") == "equal");
  CHECK(both_ways("(matrix 1 1 2)", "(tuple 1 2)") == "equal");
  CHECK(both_ways("(matrix 1 1 2)", "(tuple 2 1)") == "different");
  CHECK(both_ways("(det (matrix 2 1 2 3 4))", "(negation 2)") == "equal");  // 1*4 - 2*3
  CHECK(both_ways("(det (matrix 3 2 0 0 0 3 0 0 0 5))", "30") == "equal");
  CHECK(both_ways("(det (matrix 2 1 2 3 4))", "2") == "different");
  CHECK(both_ways("(norm (tuple 3 4))", "5") == "equal");
  CHECK(both_ways("(ratio 1 2)", "(ratio 2 4)") == "equal");
  CHECK(both_ways("(ratio 1 2 3)", "(ratio 2 4 6)") == "equal");
  CHECK(both_ways("(ratio 1 2)", "(quotient 1 2)") == "equal");
  CHECK(both_ways("(ratio 1 2)", "(ratio 2 1)") == "different");
  CHECK(both_ways("(ratio 1 2 3)", "(ratio 1 3 2)") == "different");
  CHECK(both_ways("(ratio 1 2)", "(ratio 1 2 3)") == "different");
}

TEST_CASE("hostile formulas come back at once without a verdict in their favour", "[math][compare]") {
  for (const char* text : {"(power 9 (power 9 (power 9 9)))", "(factorial (power 10 9))", "1e999999999", "(root 5 0)",
                           "(factorial (factorial (factorial (factorial (factorial 3)))))",
                           "(binomial (power 10 12) (power 10 11))", "(finite_sum k 1 (power 10 12) k)",
                           "(finite_sum a 1 1000 (finite_sum b 1 1000 (finite_sum c 1 1000 (product a b c))))",
                           "(power (sum x y z w) 10000)", "(power 2 (power 2 (power 2 (power 2 (power 2 2)))))",
                           "(exp (exp (exp (exp (exp 100)))))", "(sin (power 10 (power 10 10)))",
                           "(product (power (sum a b) 50) (power (sum c d) 50) (power (sum e f) 50))"}) {
    INFO(text);
    CHECK(both_ways(text, "7") != "equal");
  }
}

TEST_CASE("work beyond the limit is a limit, and broken trees are no answer", "[math][compare]") {
  Limits little;
  little.work = 500;
  CHECK(compared("(sin (sum x y))", "(sum (product (sin x) (cos y)) (product (cos x) (sin y)))", {}, little) == "limit");
  little.nodes = 3;
  CHECK(compared("(sum 1 2 3 4)", "10", {}, little) == "limit");
  Tree broken = testing::read_tree("(sum 1 2)");
  broken.nodes.back().children = {0};
  CHECK(compare(broken, testing::read_tree("1"), {}, {}).equality == Equality::undecided);
  broken.nodes.back().children = {0, 0};
  CHECK(compare(broken, testing::read_tree("2"), {}, {}).equality == Equality::undecided);
  Tree spare = testing::read_tree("(sum 1 2)");  // a node that nobody names does no harm
  spare.nodes.push_back({Kind::tuple, "", 0, {0, 1}});
  CHECK(compare(spare, testing::read_tree("3"), {}, {}).equality == Equality::equal);
  broken.nodes.back().children = {0, 7};
  CHECK(compare(broken, testing::read_tree("1"), {}, {}).equality == Equality::undecided);
  CHECK(compare(Tree(), Tree(), {}, {}).equality == Equality::undecided);
}

TEST_CASE("threads agree with each other", "[math][compare]") {
  const std::vector<std::pair<const char*, const char*>> pairs{
      {"(root (sum 3 (product 2 (root 2 2))) 2)", "(sum 1 (root 2 2))"}, {"(sum (power (sin x) 2) (power (cos x) 2))", "1"},
      {"(quotient 1 (factorial 2004))", "(quotient 1 (factorial 2006))"}, {"(set 1 2 x)", "(set x 2 1)"},
      {"(relation = (power x 2) 4)", "(set 2 (negation 2))"},
      {"(relation < < (negation 1) x 2)", "(interval \"()\" (negation 1) 2)"}};
  std::vector<std::string> alone;
  for (const auto& [a, b] : pairs) alone.push_back(compared(a, b));
  std::vector<int> differences(4, 0);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < differences.size(); ++t)
    threads.emplace_back([&, t] {
      for (int round = 0; round < 20; ++round)
        for (size_t i = 0; i < pairs.size(); ++i) differences[t] += compared(pairs[i].first, pairs[i].second) != alone[i];
    });
  for (auto& thread : threads) thread.join();
  CHECK(differences == std::vector<int>(4, 0));
}

TEST_CASE("a comparison is the same in both directions", "[math][compare]") {
  const char* const answers[] = {
      "1", "(quotient 2 4)", "0.5", "0.333333", "(percent 50)", "(degrees 30)", "(quotient pi 6)", "x", "(choice B)", "\"yes\"",
      "(root 12 2)", "(product 2 (root 3 2))", "(plus_minus 2)", "(list 2 (negation 2))", "(set 2 (negation 2))", "(tuple 1 2)",
      "(interval \"()\" 1 2)", "(interval \"[)\" 1 2)", "(relation < < 1 x 2)", "(relation = x 1)", "(relation = (power x 2) 4)",
      "(relation = (product 2 x) 2)", "(relation < x 1)", "(matrix 1 1 2)", "(ratio 1 2)", "(quantity \"cm\" 1)",
      "(quotient 1 0)",
      "infinity", "empty_set", "(number_set R)", "(interval \"()\" (negation infinity) infinity)", "(set 1)", "204_5", "54",
      "(or (relation = x 2) (relation = x (negation 2)))", "(sum 1 imaginary)", "(call f x)", "(relation = (call f x) x)"};
  for (const char* a : answers)
    for (const char* b : answers) {
      INFO(a << " and " << b);
      CHECK(compared(a, b) == compared(b, a));
    }
  for (const char* a : answers) CHECK(compared(a, a) == "equal");
}
