#include "reward/expression.h"
#include "tests/reward/support.h"

using reward::parse_expression;
using reward::Status;

namespace {
const std::string gold = "numbers=3,5,7,25 target=9";  // (25+3)/7+5 = 4+5 = 9

double value(const std::string& expression, const std::string& puzzle = gold, OptionList options = {}) {
  auto countdown = make("countdown", std::move(options));
  const auto outcome = score_one(*countdown, item("<think>..</think><answer>" + expression + "</answer>", puzzle));
  INFO(expression << ": " << outcome.detail);
  REQUIRE(outcome.status == Status::scored);
  return outcome.value;
}
}  // namespace

TEST_CASE("countdown pays for an expression that uses each number once and hits the target", "[countdown]") {
  REQUIRE(value("(25+3)/7+5") == 1.0);
  REQUIRE(value(" ( 25 + 3 ) / 7 + 5 ") == 1.0);
  REQUIRE(value("5+((3+25))/7") == 1.0);
  REQUIRE(value("(25+3)/7+5 = 9") == 1.0);
  REQUIRE(value("(25+3) \u00f7 7+5") == 1.0);
  REQUIRE(value("\\left(25+3\\right) \\div 7+5") == 1.0);
  REQUIRE(value("5-(3-7)", "numbers=3,5,7 target=9") == 1.0);
  REQUIRE(value("3-5-7", "numbers=3,5,7 target=-9") == 1.0);    // left to right
  REQUIRE(value("24/4/2", "numbers=2,4,24 target=3") == 1.0);   // left to right
  REQUIRE(value("2+3*4", "numbers=2,3,4 target=14") == 1.0);    // * before +
  REQUIRE(value("8/(3-8/3)", "numbers=3,3,8,8 target=24") == 1.0);  // 8 / (1/3): exact, no rounding
  REQUIRE(value("1/3+1/3+1/3", "numbers=1,1,1,3,3,3 target=1") == 1.0);
}

TEST_CASE("countdown pays nothing for a wrong value or wrong numbers", "[countdown]") {
  REQUIRE(value("(25+3)/7-5") == 0.0);
  REQUIRE(value("7+5-3") == 0.0);                                      // 9, but 25 is not used
  REQUIRE(value("(25+3)/7+5+3-3") == 0.0);                             // 3 three times
  REQUIRE(value("9") == 0.0);
  REQUIRE(value("25-7-5-4") == 0.0);                                   // 4 is not given
  REQUIRE(value("(25+3)/7+5 = 10") == 0.0);
  REQUIRE(value("9 = (25+3)/7+5") == 0.0);
  REQUIRE(value("3+3", "numbers=3,5 target=6") == 0.0);
  REQUIRE(value("1/0", "numbers=0,1 target=0") == 0.0);
  REQUIRE(value("1/(2-2)", "numbers=1,2,2 target=0") == 0.0);
  REQUIRE(value("7/2", "numbers=2,7 target=3") == 0.0);                // no whole-number division
}

TEST_CASE("countdown with use_all=false allows numbers to be left over", "[countdown]") {
  const OptionList some = {{"use_all", "false"}};
  REQUIRE(value("7+5-3", gold, some) == 1.0);
  REQUIRE(value("3+3+3", gold, some) == 0.0);
}

TEST_CASE("countdown reads no power, sign, decimals, juxtaposition or code", "[countdown]") {
  for (const char* text : {"2**3", "2^3", "2*-3", "-3+2", "+3", "2(3)", "(2)(3)", "2 3", "2.5*4", "2//3", "2e3", "2,3",
                           "2+", "()", "(2", "2)", "", "=", "2=", "2=3=3", "2+3=x", "2%3", "2!", "x",
                           "__import__('os')", "\\frac{2}{3}", "٢+٣"}) {
    INFO(text);
    CHECK_FALSE(parse_expression(text).value);
    CHECK_FALSE(parse_expression(text).error.empty());
  }
  REQUIRE(value("2.5*4", "numbers=2,5,4 target=10") == 0.0);
  REQUIRE_FALSE(parse_expression(std::string("2\0+3", 4)).value);
}

TEST_CASE("the tricks that other countdown checkers pay for earn nothing", "[countdown]") {
  // A checker that collects the numbers with a pattern and hands the text to an interpreter takes all of these.
  const std::string three = "numbers=2,4,5 target=10";
  REQUIRE(value("4+2*5-4", "numbers=2,4,5 target=10") == 0.0);      // 4 twice
  for (const char* text : {"2.5*4", "2.5*4.", "5*2+.4*0", "5*2**1", "2**4-5-1", "5*2#4", "5*2 # 4", "5*2 if 4 else 0", "5*2+0*4", "(5*2,4)[0]",
                           "5*2or 4", "5*2//1+4-4", "max(2*5,4)", "2*5+4-4.0", "10", "10+2-2+4-4+5-5", "4*5/2.0", "0b10*5", "2_4*5", "5*2; 4",
                           "(5)(2)+4-4", "5*2 = 10 = 4", "5\u00d72\u00d74\u2070", "'2'*5", "4 5 2 10"}) {
    INFO(text);
    CHECK(value(text, three) == 0.0);
  }
  REQUIRE(value("4*5/2", three) == 1.0);
  // Towers of powers, which hang an interpreter, are not read at all: no digit of them is computed.
  for (const char* text : {"9**9**9", "9**9**9**9", "9^9^9", "9e999999999", "9!!!"}) {
    INFO(text);
    CHECK(parse_expression(text).steps < 64);
    CHECK(value(text, "numbers=9,9,9 target=9") == 0.0);
  }
}

TEST_CASE("the gold's own text, a list of guesses and an answer inside the thinking earn nothing", "[countdown]") {
  auto countdown = make("countdown");
  const auto of = [&](const std::string& text) { return score_one(*countdown, item(text, gold)).value; };
  REQUIRE(of("<answer>" + gold + "</answer>") == 0.0);
  REQUIRE(of("<answer>9</answer>") == 0.0);
  REQUIRE(of("<answer>7+5-3, (25+3)/7+5</answer>") == 0.0);
  REQUIRE(of("<answer>(25+3)/7+5 or 7+5-3</answer>") == 0.0);
  REQUIRE(of("<answer>(25+3)/7+5</answer><answer>9</answer>") == 0.0);  // the last one counts
  REQUIRE(of("<think><answer>(25+3)/7+5</answer>") == 0.0);
}

TEST_CASE("an expression has limits on length, depth, numbers and digits", "[countdown]") {
  const auto nested = [](int depth) { return std::string(depth, '(') + "1" + std::string(depth, ')'); };
  REQUIRE(parse_expression(nested(64)).value);
  REQUIRE(parse_expression(nested(65)).error == "more than 64 open parentheses");
  REQUIRE(parse_expression(std::string(1 << 20, '(')).error == "longer than 512 bytes");
  REQUIRE(parse_expression(std::string(18, '9')).value);
  REQUIRE(parse_expression(std::string(19, '9')).error == "a number has more than 18 digits");
  std::string sum = "1";
  for (int i = 1; i < 64; ++i) sum += "+1";
  REQUIRE(parse_expression(sum).value);
  REQUIRE(parse_expression(sum + "+1").error == "more than 64 numbers");
}

TEST_CASE("reading an expression takes a few steps a byte", "[countdown]") {
  for (const auto& text : {std::string(512, '('), std::string(64, '(') + "1" + std::string(64, ')') + std::string(300, '+'),
                           std::string(512, '1'), std::string(512, ' ')}) {
    CHECK(parse_expression(text).steps <= 8 * 512);
  }
  // 28 numbers of 18 digits, multiplied and divided: the longest values there can be.
  std::string longest = std::string(18, '9');
  while (longest.size() + 19 <= 512) longest += (longest.size() % 2 ? "*" : "/") + std::string(18, '7');
  const auto read = parse_expression(longest);
  REQUIRE(read.value);
  REQUIRE(read.value->numerator.to_string().size() + read.value->denominator.to_string().size() <= 512);
}

TEST_CASE("countdown takes the box before the tags, and says when there is neither", "[countdown]") {
  auto countdown = make("countdown");
  REQUIRE(score_one(*countdown, item("\\boxed{(25+3)/7+5}", gold)).value == 1.0);
  REQUIRE(score_one(*countdown, item("(25+3)/7+5", gold)).status == Status::no_answer);
  REQUIRE(score_one(*countdown, item("<think><answer>(25+3)/7+5</answer></think>", gold)).status == Status::no_answer);
}

TEST_CASE("a countdown gold must read numbers=... target=...", "[countdown]") {
  auto countdown = make("countdown");
  REQUIRE(countdown->check_answer(gold).empty());
  REQUIRE(countdown->check_answer(" numbers=3  target=-3\n").empty());
  for (const char* bad : {"", "42", "numbers= target=3", "numbers=3,5", "numbers=3,5target=3", "numbers=3, 5 target=3",
                          "numbers=3,,5 target=3", "target=3 numbers=3,5", "numbers=3,-5 target=3", "numbers=3 target=3 more",
                          "numbers=3 target=", "numbers=3.5 target=3", "numbers=1234567890123456789 target=3"}) {
    INFO(bad);
    CHECK_FALSE(countdown->check_answer(bad).empty());
    CHECK(score_one(*countdown, item("<answer>3</answer>", bad)).status == Status::not_applicable);
  }
}
