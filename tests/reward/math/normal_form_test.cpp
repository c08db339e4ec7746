#include "reward/math/normal_form.h"

#include "reward/math/tree_tools.h"
#include "tests/reward/math/read_tree.h"
#include "tests/support/catch.h"

namespace {

using namespace reward::math;

// "zero", "constant", "other" for the difference of both, "undefined" or "none" where there is no form.
std::string difference(const std::string& a, const std::string& b, const Limits& limits = {}) {
  Tree both;
  const auto x = append(both, testing::read_tree(a)), y = append(both, testing::read_tree(b));
  Work work(limits);
  Normalizer normalizer(both, work);
  const auto of_x = normalizer.normalize(x), of_y = normalizer.normalize(y);
  if (!of_x || !of_y) return normalizer.undefined() ? "undefined" : "none";
  const auto result = normalizer.subtract(*of_x, *of_y);
  if (!result) return "none";
  if (result->num.is_zero()) return "zero";
  return constant_value(*result) ? "constant" : "other";
}

}  // namespace

TEST_CASE("rational functions have one normal form", "[math][normal_form]") {
  CHECK(difference("(power (sum x 1) 2)", "(sum (power x 2) (product 2 x) 1)") == "zero");
  CHECK(difference("(sum (quotient 1 x) (quotient 1 y))", "(quotient (sum x y) (product x y))") == "zero");
  CHECK(difference("(quotient (sum (power x 2) (negation 1)) (sum x (negation 1)))", "(sum x 1)") == "zero");
  CHECK(difference("(power x (negation 2))", "(quotient 1 (power x 2))") == "zero");
  CHECK(difference("(power (sum x 1) 2)", "(sum (power x 2) 1)") == "other");
  CHECK(difference("(sum x 1)", "(sum x 2)") == "constant");
  CHECK(difference("x", "y") == "other");
  CHECK(difference("x", "X") == "other");
}

TEST_CASE("i and roots are reduced", "[math][normal_form]") {
  CHECK(difference("(power imaginary 2023)", "(negation imaginary)") == "zero");  // 2023 = 4*505 + 3
  CHECK(difference("(quotient 1 imaginary)", "(negation imaginary)") == "zero");
  CHECK(difference("(root 12 2)", "(product 2 (root 3 2))") == "zero");
  CHECK(difference("(product (root 2 2) (root 3 2))", "(root 6 2)") == "zero");
  CHECK(difference("(quotient 1 (root 2 2))", "(quotient (root 2 2) 2)") == "zero");
  CHECK(difference("(root 4 4)", "(root 2 2)") == "zero");
  CHECK(difference("(root (negation 4) 2)", "(product 2 imaginary)") == "zero");
  CHECK(difference("(root (negation 2) 3)", "(negation (root 2 3))") == "zero");
  CHECK(difference("(root (quotient 1 3) 2)", "(quotient (root 3 2) 3)") == "zero");
  CHECK(difference("(power (root x 2) 2)", "x") == "zero");
  CHECK(difference("(quotient 1 (sum (root 3 2) (negation 1)))", "(quotient (sum (root 3 2) 1) 2)") == "zero");
  CHECK(difference("(root (power x 2) 2)", "x") == "other");
  CHECK(difference("(root 12 2)", "(product 3 (root 2 2))") == "other");
}

TEST_CASE("functions of equal arguments are one atom", "[math][normal_form]") {
  CHECK(difference("(sin (sum x x))", "(sin (product 2 x))") == "zero");
  CHECK(difference("(power euler 2)", "(exp 2)") == "zero");
  CHECK(difference("(power 2 (sum n 1))", "(power 2 (sum 1 n))") == "zero");
  CHECK(difference("(binomial n 3)", "(quotient (product n (sum n (negation 1)) (sum n (negation 2))) 6)") == "zero");
  CHECK(difference("(call f (sum x x))", "(call f (product 2 x))") == "zero");
  CHECK(difference("(sin x)", "(sin y)") == "other");
  CHECK(difference("(sin x)", "(cos x)") == "other");
  CHECK(difference("(call f x)", "(call g x)") == "other");
}

TEST_CASE("a huge power is an atom, so that one more is seen", "[math][normal_form]") {
  CHECK(difference("(sum 1 (power 10 100000000))", "(power 10 100000000)") == "constant");
  CHECK(difference("(power x 1000000000)", "(power x 1000000000)") == "zero");
  CHECK(difference("(power x 1000000000)", "(power x 1000000001)") == "other");
}

TEST_CASE("a division by zero has no normal form", "[math][normal_form]") {
  CHECK(difference("(quotient 1 (sum x (negation x)))", "1") == "undefined");
  CHECK(difference("(quotient (sum x (negation x)) (sum x (negation x)))", "1") == "undefined");
  CHECK(difference("(quotient 1 (sum (root 6 2) (negation (product (root 2 2) (root 3 2)))))", "1") == "undefined");
}

TEST_CASE("what grows too large has no normal form", "[math][normal_form]") {
  CHECK(difference("(product (power (sum a b) 50) (power (sum c d) 50) (power (sum e f) 50))", "1") == "none");
  Limits little;
  little.work = 300;
  CHECK_THROWS_AS(difference("(power (sum x y z) 20)", "1", little), LimitReached);
}

TEST_CASE("proportional polynomials", "[math][normal_form]") {
  const auto tree = testing::read_tree("(list (sum (product 2 x) (negation 4)) (sum x (negation 2)) (sum x 2))");
  Work work{Limits{}};
  Normalizer normalizer(tree, work);
  const auto& parts = tree[tree.root].children;
  const auto a = normalizer.normalize(parts[0]), b = normalizer.normalize(parts[1]), c = normalizer.normalize(parts[2]);
  const auto ratio = proportion(a->num, b->num);
  REQUIRE(ratio);
  CHECK(fmpq_cmp_si(*ratio, 2) == 0);
  CHECK_FALSE(proportion(a->num, c->num));
}
