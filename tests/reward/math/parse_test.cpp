#include "reward/math/parse.h"

#include "tests/support/catch.h"

using namespace reward::math;

namespace {

// The tree as to_string writes it, or the error's reason.
std::string read(std::string_view text, const Tree* gold = nullptr) {
  const auto parsed = parse(text, Limits{}, gold);
  if (const auto* error = std::get_if<ParseError>(&parsed)) return "error: " + error->reason;
  return to_string(std::get<Tree>(parsed));
}

std::string beside(std::string_view text, std::string_view gold) {
  const auto parsed = parse(gold, Limits{});
  return read(text, &std::get<Tree>(parsed));
}

}  // namespace

TEST_CASE("numbers keep their digits", "[parse]") {
  CHECK(read("42") == "42");
  CHECK(read("-42") == "(negation 42)");
  CHECK(read("+7") == "7");
  CHECK(read("0.50") == "0.50");
  CHECK(read(".5") == "0.5");
  CHECK(read("1.5e3") == "1.5e3");
  CHECK(read("1e-3") == "1.0e-3");
  CHECK(read("1,234") == "1234");
  CHECK(read("204_5") == "204_5");
  CHECK(read("0.0011_{2}") == "(quotient 00011_2 (power 2 4))");  // 00011 in base 2 over 2^4
  CHECK(read("five") == "5");
}

TEST_CASE("repeating decimals are a sum", "[parse]") {
  CHECK(read("0.\\overline{3}") == "(sum 0 (quotient 3 9))");
  CHECK(read("0.3\\overline{6}") == "(sum 0.3 (quotient 6 90))");  // 3/10 + 6/90 = 11/30 = 0.3666...
  CHECK(read("0.(142857)") == "(sum 0 (quotient 142857 999999))");
}

TEST_CASE("a whole number before a smaller fraction is a mixed number", "[parse]") {
  CHECK(read("1\\frac45") == "(sum 1 (quotient 4 5))");
  CHECK(read("137 \\frac{1}{2}") == "(sum 137 (quotient 1 2))");
  CHECK(read("1 4/5") == "(sum 1 (quotient 4 5))");
  CHECK(read("1½") == "(sum 1 (quotient 1 2))");
  CHECK(read("-1\\frac{1}{2}") == "(negation (sum 1 (quotient 1 2)))");
  CHECK(read("33\\frac{1}{3}\\%") == "(percent (sum 33 (quotient 1 3)))");
  CHECK(read("2\\frac{3}{2}") == "(product 2 (quotient 3 2))");
  CHECK(read("2 \\cdot \\frac{1}{3}") == "(product 2 (quotient 1 3))");
  CHECK(read("x^2\\frac{1}{2}") == "(product (power x 2) (quotient 1 2))");
  CHECK(read("14/5") == "(quotient 14 5)");
}

TEST_CASE("fractions and roots take one digit, one letter or a group", "[parse]") {
  CHECK(read("\\frac12") == "(quotient 1 2)");
  CHECK(read("\\frac1{2}") == "(quotient 1 2)");
  CHECK(read("\\dfrac 59") == "(quotient 5 9)");
  CHECK(read("\\frac {40}7") == "(quotient 40 7)");
  CHECK(read("\\frac x2") == "(quotient x 2)");
  CHECK(read("\\frac\\pi2") == "(quotient pi 2)");
  CHECK(read("\\sqrt3") == "(root 3 2)");
  CHECK(read("\\sqrt 13") == "(root 13 2)");
  CHECK(read("11\\sqrt2") == "(product 11 (root 2 2))");
  CHECK(read("\\sqrt[3]{x+1}") == "(root (sum x 1) 3)");
  CHECK(read("sqrt(2)/2") == "(quotient (root 2 2) 2)");
  CHECK(read("√3") == "(root 3 2)");
  CHECK(read("{1 \\over 3}") == "(quotient 1 3)");
}

TEST_CASE("signs bind as in mathematics", "[parse]") {
  CHECK(read("1+2-3") == "(sum 1 2 (negation 3))");
  CHECK(read("2x+1") == "(sum (product 2 x) 1)");
  CHECK(read("-x^2") == "(negation (power x 2))");
  CHECK(read("2^{10}") == "(power 2 10)");
  CHECK(read("2^10") == "(power 2 10)");
  CHECK(read("2^3^2") == "(power 2 (power 3 2))");
  CHECK(read("x^ab") == "(product (power x a) b)");
  CHECK(read("x**2") == "(power x 2)");
  CHECK(read("2^{-2/3}") == "(power 2 (negation (quotient 2 3)))");
  CHECK(read("1/2x") == "(product (quotient 1 2) x)");
  CHECK(read("1/2/3") == "(quotient (quotient 1 2) 3)");
  CHECK(read("a(b+c)d") == "(product a (sum b c) d)");
  CHECK(read("2 \\cdot -3") == "(product 2 (negation 3))");
  CHECK(read("5!") == "(factorial 5)");
  CHECK(read("6!!") == "(product 1 6 4 2)");
  CHECK(read("28\\%") == "(percent 28)");
  CHECK(read("a \\bmod 7") == "(mod a 7)");
  CHECK(read("3 \\pm 2\\sqrt2") == "(plus_minus 3 (product 2 (root 2 2)))");
  CHECK(read("\\mp 2") == "(plus_minus - 2)");
  CHECK(read("3 : 4") == "(ratio 3 4)");
  CHECK(read("3:4:5") == "(ratio 3 4 5)");
}

TEST_CASE("bars pair up", "[parse]") {
  CHECK(read("|x|") == "(abs x)");
  CHECK(read("2|x-1|+|y|") == "(sum (product 2 (abs (sum x (negation 1)))) (abs y))");
  CHECK(read("||x|-1|") == "(abs (sum (abs x) (negation 1)))");
  CHECK(read("|a|b|c|") == "(product (abs a) b (abs c))");
  CHECK(read("\\left|\\frac12\\right|") == "(abs (quotient 1 2))");
  CHECK(read("\\|v\\|") == "(norm v)");
  CHECK(read("\\lfloor x \\rfloor") == "(floor x)");
}

TEST_CASE("functions take brackets, groups, or what follows", "[parse]") {
  CHECK(read("\\sin x") == "(sin x)");
  CHECK(read("\\sin 2x \\cos x") == "(product (sin (product 2 x)) (cos x))");
  CHECK(read("\\sin^2 x") == "(power (sin x) 2)");
  CHECK(read("\\sin^{-1} x") == "(arcsin x)");
  CHECK(read("\\sin(x)^2") == "(power (sin x) 2)");
  CHECK(read("\\sin x^2") == "(sin (power x 2))");
  CHECK(read("\\sin (3 t) / 5") == "(quotient (sin (product 3 t)) 5)");
  CHECK(read("\\log_2 8") == "(log 8 2)");
  CHECK(read("\\log_{10} x") == "(log x 10)");
  CHECK(read("log2(8)") == "(log 8 2)");
  CHECK(read("\\ln|x|") == "(ln (abs x))");
  CHECK(read("\\gcd(12, 18)") == "(gcd 12 18)");
  CHECK(read("\\operatorname{lcm}(4,6)") == "(lcm 4 6)");
  CHECK(read("\\exp{2t}") == "(exp (product 2 t))");
  CHECK(read("\\binom{n}{2}") == "(binomial n 2)");
  CHECK(read("{n \\choose k}") == "(binomial n k)");
  CHECK(read("C_5^2") == "(binomial 5 2)");
  CHECK(read("C(n,2)") == "(binomial n 2)");
  CHECK(read("{}_5C_2") == "(binomial 5 2)");
  CHECK(read("C_1 e^{t}") == "(product C_1 (power euler t))");
  CHECK(read("C_1^2") == "(power C_1 2)");
  CHECK(read("f(x+1)") == "(call f (sum x 1))");
  CHECK(read("f'(2)") == "(call f' 2)");
  CHECK(read("x(x+1)") == "(product x (sum x 1))");
  CHECK(read("\\sum_{k=1}^{10} k^2 + 1") == "(sum (finite_sum k 1 10 (power k 2)) 1)");
  CHECK(read("\\prod_{i=1}^n 2i") == "(finite_product i 1 n (product 2 i))");
}

TEST_CASE("symbols hold their subscripts and primes; e, i and pi are numbers", "[parse]") {
  CHECK(read("x_1 + x_{12}") == "(sum x_1 x_12)");
  CHECK(read("\\lambda_{\\text{red}}") == "lambda_red");
  CHECK(read("x'") == "x'");
  CHECK(read("e^{i\\pi}") == "(power euler (product imaginary pi))");
  CHECK(read("\\mathrm{e}") == "euler");
  CHECK(read("e_1") == "e_1");
  CHECK(read("\\frac{dx}{dt}") == "dx/dt");
  CHECK(read("\\frac{d}{2}") == "(quotient d 2)");
  CHECK(read("\\overline{z}") == "(conj z)");
  CHECK(read("\\overline{AB}") == "(product A B)");
  CHECK(read("\\mathbf{v}+\\vec w") == "(sum v w)");
  CHECK(read("\\angle ABC") == "angle ABC");
}

TEST_CASE("degrees are a sign", "[parse]") {
  CHECK(read("45^\\circ") == "(degrees 45)");
  CHECK(read("45^{\\circ}") == "(degrees 45)");
  CHECK(read("45°") == "(degrees 45)");
  CHECK(read("\\frac{270}7\\text{ degrees}") == "(degrees (quotient 270 7))");
  CHECK(read("\\sin 30^\\circ") == "(sin (degrees 30))");
  CHECK(read("20^\\circ\\text{C}") == "(quantity \"celsius\" 20)");
}

TEST_CASE("tuples, intervals, lists and sets", "[parse]") {
  CHECK(read("(1,2)") == "(tuple 1 2)");
  CHECK(read("(x)") == "x");
  CHECK(read("[0,1)") == "(interval \"[)\" 0 1)");
  CHECK(read("\\left(\\frac35,\\frac83\\right]") == "(interval \"(]\" (quotient 3 5) (quotient 8 3))");
  CHECK(read("(-\\infty, 2)") == "(interval \"()\" (negation infinity) 2)");
  CHECK(read("]0,1[") == "(interval \"()\" 0 1)");
  CHECK(read("1, 2 and 3") == "(list 1 2 3)");
  CHECK(read("1, 2, \\text{ and } 3") == "(list 1 2 3)");
  CHECK(read("$5,-2$") == "(list 5 (negation 2))");
  CHECK(read("4 or 5") == "(list 4 5)");
  CHECK(read("\\{1, 2\\}") == "(set 1 2)");
  CHECK(read("{1, 2}") == "(set 1 2)");
  CHECK(read("\\{\\}") == "empty_set");
  CHECK(read("\\{1\\pm\\sqrt{5},-2\\}") == "(set (plus_minus 1 (root 5 2)) (negation 2))");
  CHECK(read("(0,9) \\cup (9,36)") == "(union (interval \"()\" 0 9) (interval \"()\" 9 36))");
  CHECK(read("(1,2) U (3,4)") == "(union (interval \"()\" 1 2) (interval \"()\" 3 4))");
  CHECK(read("\\mathbb{R} \\setminus \\{0\\}") == "(difference (number_set R) (set 0))");
  CHECK(read("(1,2), (3,4)") == "(list (tuple 1 2) (tuple 3 4))");
  CHECK(read("[5]") == "5");
}

TEST_CASE("matrices", "[parse]") {
  CHECK(read("\\begin{pmatrix} -1 & 0 \\\\ 0 & x+1 \\end{pmatrix}") == "(matrix 2 (negation 1) 0 0 (sum x 1))");
  CHECK(read("\\left[\\begin{array}{cc}1&2\\\\3&4\\\\\\end{array}\\right]") == "(matrix 2 1 2 3 4)");
  CHECK(read("\\begin{vmatrix}1&2\\\\3&4\\end{vmatrix}") == "(det (matrix 2 1 2 3 4))");
  CHECK(read("[[1,2],[3,4]]") == "(matrix 2 1 2 3 4)");
  CHECK(read("A = \\begin{bmatrix}1\\\\2\\end{bmatrix}") == "(relation = A (matrix 1 1 2))");
}

TEST_CASE("relations, chains, and, or", "[parse]") {
  CHECK(read("x = 5") == "(relation = x 5)");
  CHECK(read("1 < x \\le 2") == "(relation < <= 1 x 2)");
  CHECK(read("S = 2+3 = 5") == "(relation = = S (sum 2 3) 5)");
  CHECK(read("x \\in (1,2)") == "(relation in x (interval \"()\" 1 2))");
  CHECK(read("x<1 or x>2") == "(or (relation < x 1) (relation > x 2))");
  CHECK(read("x=1 \\text{ and } y=2") == "(and (relation = x 1) (relation = y 2))");
  CHECK(read("x=1, y=2") == "(list (relation = x 1) (relation = y 2))");
  CHECK(read("x=1\\quad y=2") == "(list (relation = x 1) (relation = y 2))");
  CHECK(read("x = 2, 3") == "(list (relation = x 2) (relation = x 3))");
  CHECK(read("(x,y)=(1,2)") == "(relation = (tuple x y) (tuple 1 2))");
  CHECK(read("f(x)=x+1") == "(relation = (call f x) (sum x 1))");
  CHECK(read("N(n) = 2n") == "(relation = (call N n) (product 2 n))");
  CHECK(read("\\text{Area} = 5") == "(relation = area 5)");
  CHECK(read("Number of ways = 12") == "(relation = number o f ways 12)");
  CHECK(read("= 5") == "5");
  CHECK(read("\\approx 3.14") == "3.14");
}

TEST_CASE("units and money", "[parse]") {
  CHECK(read("15\\mbox{ cm}^2") == "(quantity \"cm^2\" 15)");
  CHECK(read("5.4 \\text{ cents}") == "(quantity \"cent\" 5.4)");
  CHECK(read("\\$18.90") == "(quantity \"dollar\" 18.90)");
  CHECK(read("$18") == "(quantity \"dollar\" 18)");
  CHECK(read("-\\$5") == "(negation (quantity \"dollar\" 5))");
  CHECK(read("9\\pi \\text{ square units}") == "(quantity \"unit^2\" (product 9 pi))");
  CHECK(read("x = 5 cm") == "(relation = x (quantity \"cm\" 5))");
  CHECK(read("17.5 percent") == "(percent 17.5)");
  CHECK(read("5 million") == "(product 5 1000000)");
  CHECK(read("2t") == "(product 2 t)");
}

TEST_CASE("words are text in one spelling", "[parse]") {
  CHECK(read("\\text{Yes.}") == "\"yes\"");
  CHECK(read("an ellipse") == "\"ellipse\"");
  CHECK(read("\\text{no  solution}") == "\"no solution\"");
  CHECK(read("New York") == "\"new york\"");
  CHECK(read("Zürich") == "\"zürich\"");
  CHECK(read("\\text{ACF}") == "\"acf\"");
  CHECK(read("all real numbers") == "(number_set R)");
  CHECK(read("infinity") == "infinity");
}

TEST_CASE("what is no formula of ours is text too", "[parse]") {
  CHECK(read("\\{x : x > 0\\}") == "\"\\\\{x:x>0\\\\}\"");
  CHECK(read("p(x) \\mid f(x)") == read("p(x)\\mid f(x)"));
  CHECK(read("\\lim_{x \\to 0} x").substr(0, 1) == "\"");
  CHECK(read("4 2") == "\"4 2\"");
  CHECK(read("1, 2, \\ldots, 10").substr(0, 1) == "\"");
}

TEST_CASE("choice letters", "[parse]") {
  for (const char* text : {"B", "(B)", "\\text{B}", "\\textbf{(B)}", "B.", "B)", "option B", "\\text{(B)}", "**B**"}) {
    INFO(text);
    CHECK(read(text) == "(choice B)");
  }
  CHECK(read("\\textbf{(B)}\\ 12") == "(choice B)");
  CHECK(beside("(B) 12", "12") == "12");
  CHECK(beside("(B) 12", "B") == "(choice B)");
  CHECK(beside("(b)", "B") == "(choice B)");
  CHECK(beside("e", "E") == "euler");
  CHECK(read("A, D") == "(list A D)");
  CHECK(read("AB") == "(product A B)");
}

TEST_CASE("the gold's reading decides what could be two things", "[parse]") {
  CHECK(beside("3,333", "3, 333") == "(list 3 333)");
  CHECK(beside("3,333", "3333") == "3333");
  CHECK(beside("5 m", "5") == "(quantity \"m\" 5)");
  CHECK(beside("5 m", "5m") == "(product 5 m)");
  CHECK(beside("2e-3", "2e - 3") == "(sum (product 2 euler) (negation 3))");
  CHECK(beside("ACF", "\\text{ACF}") == "\"acf\"");
}

TEST_CASE("broken input is an error", "[parse]") {
  CHECK(read("") == "error: empty");
  CHECK(read(" $ ") == "error: empty");
  CHECK(read("\\text{}") == "error: empty");
  CHECK(read("{") == "error: syntax");
  CHECK(read("1}") == "error: syntax");
  CHECK(read("+*/") == "error: syntax");
  CHECK(read("(") == "error: syntax");
  CHECK(read("\xff") == "error: not_utf8");
  CHECK(read(std::string("1\0", 2)) == "error: not_utf8");
}
