#include "reward/math/ball.h"

#include "reward/math/tree_tools.h"
#include "tests/reward/math/read_tree.h"
#include "tests/support/catch.h"

namespace {

using namespace reward::math;

std::string by_balls(const std::string& a, const std::string& b) {
  Tree both;
  const auto x = append(both, testing::read_tree(a)), y = append(both, testing::read_tree(b));
  Work work{Limits{}};
  switch (compare_by_balls(both, x, y, work)) {
    case Ball::equal: return "equal";
    case Ball::different: return "different";
    case Ball::undecided: break;
  }
  return "undecided";
}

Ratio ratio(const std::string& a, const std::string& b) {
  Tree both;
  const auto x = append(both, testing::read_tree(a)), y = append(both, testing::read_tree(b));
  Work work{Limits{}};
  return ratio_by_balls(both, x, y, work);
}

}  // namespace

TEST_CASE("balls prove what normal forms cannot", "[math][ball]") {
  CHECK(by_balls("(root (sum 3 (product 2 (root 2 2))) 2)", "(sum 1 (root 2 2))") == "equal");  // (1+r)^2 = 3+2r
  CHECK(by_balls("(sum (power (sin x) 2) (power (cos x) 2))", "1") == "equal");
  CHECK(by_balls("(cos (quotient pi 3))", "0.5") == "equal");
  CHECK(by_balls("(sin pi)", "0") == "equal");
  CHECK(by_balls("(ln 4)", "(product 2 (ln 2))") == "equal");
  CHECK(by_balls("(power 4 n)", "(power 2 (product 2 n))") == "equal");
  CHECK(by_balls("(power euler (product imaginary pi))", "(negation 1)") == "equal");
  CHECK(by_balls("(quotient (factorial (sum n 1)) (factorial n))", "(sum n 1)") == "equal");
  CHECK(by_balls("(cosh x)", "(quotient (sum (power euler x) (power euler (negation x))) 2)") == "equal");
  CHECK(by_balls("(arcsinh x)", "(ln (sum x (root (sum (power x 2) 1) 2)))") == "equal");
}

TEST_CASE("balls tell close numbers apart", "[math][ball]") {
  CHECK(by_balls("(root (sum (power 10 40) 1) 2)", "(power 10 20)") == "different");
  CHECK(by_balls("(sum (root 2 2) (power 10 (negation 40)))", "(root 2 2)") == "different");
  CHECK(by_balls("(sin x)", "x") == "different");
  CHECK(by_balls("(product pi (power 2 (negation 99)))", "(product pi (power 2 (negation 98)))") == "different");
  CHECK(by_balls("(sum 1 (negation (quotient 1 euler)))", "(sum 1 (quotient 1 euler))") == "different");
  CHECK(by_balls("(sum 1 (product 2 imaginary))", "(sum 1 (negation (product 2 imaginary)))") == "different");
}

TEST_CASE("without i the reals are meant", "[math][ball]") {
  CHECK(by_balls("(root (quotient 1 n) 2)", "(quotient 1 (root n 2))") == "equal");  // both for n > 0 only
  CHECK(by_balls("(root (power x 2) 2)", "x") == "different");                       // they differ below zero
  CHECK(by_balls("(root (power x 2) 2)", "(abs x)") == "equal");
  CHECK(by_balls("(root (power x 3) 3)", "x") == "equal");
  CHECK(by_balls("(ln (abs x))", "(ln x)") == "different");  // bars are written to have negative x
  CHECK(by_balls("(ln (power x 2))", "(product 2 (ln x))") == "equal");
  CHECK(by_balls("(root (negation 4) 2)", "(product 2 imaginary)") == "equal");
  CHECK(by_balls("(sum (root (sum 2 (root 5 2)) 3) (root (sum 2 (negation (root 5 2))) 3))", "1") == "equal");
}

TEST_CASE("the letters of complex analysis get complex values", "[math][ball]") {
  CHECK(by_balls("(conj z)", "z") == "different");
  CHECK(by_balls("(product z (conj z))", "(power (abs z) 2)") == "equal");
  CHECK(by_balls("(abs (sum a (product b imaginary)))", "(root (sum (power a 2) (power b 2)) 2)") == "equal");
}

TEST_CASE("whole symbols get whole values", "[math][ball]") {
  CHECK(by_balls("(finite_sum k 1 n k)", "(quotient (product n (sum n 1)) 2)") == "equal");
  CHECK(by_balls("(finite_sum k 1 n k)", "(quotient (product n (sum n (negation 1))) 2)") == "different");
  CHECK(by_balls("(power (negation 1) n)", "(cos (product n pi))") == "equal");
  CHECK(by_balls("(gcd n (product 2 n))", "n") == "equal");
}

TEST_CASE("what is undefined decides nothing", "[math][ball]") {
  CHECK(by_balls("(quotient 1 0)", "0") == "undecided");
  CHECK(by_balls("(tan (quotient pi 2))", "0") == "undecided");
  CHECK(by_balls("(quotient 1 (sin pi))", "(quotient 1 (sin pi))") == "undecided");
  CHECK(by_balls("(ln (negation (power x 2)))", "(ln (negation (power x 2)))") == "undecided");
  CHECK(by_balls("(det x)", "(det x)") == "undecided");
}

TEST_CASE("ratios that are one number over all points", "[math][ball]") {
  CHECK(ratio("(sum (product 2 x) (negation (product 2 y)))", "(sum x (negation y))") == Ratio::positive);
  CHECK(ratio("(sum (negation x) 1)", "(sum x (negation 1))") == Ratio::negative);
  CHECK(ratio("(sum (product (root 2 2) x) (negation 2))", "(sum x (negation (root 2 2)))") == Ratio::positive);
  CHECK(ratio("x", "(product imaginary x)") == Ratio::complex);
  CHECK(ratio("(sum x 1)", "(sum x 2)") == Ratio::varies);
}

TEST_CASE("signs of constants", "[math][ball]") {
  const auto sign = [](const std::string& text) {
    const auto tree = testing::read_tree(text);
    Work work{Limits{}};
    return sign_of(tree, tree.root, work);
  };
  CHECK(sign("(sum (root 2 2) (negation 1.41421356237309504))") == 1);  // sqrt 2 = 1.414213562373095048801...
  CHECK(sign("(sum (root 2 2) (negation 1.41421356237309505))") == -1);
  CHECK(sign("(sum 1 (negation 1))") == 0);
  CHECK_FALSE(sign("(sin pi)"));
  CHECK_FALSE(sign("imaginary"));
}
