#include "tests/reward/support.h"

using reward::Status;

namespace {

struct Case {
  const char* gold;
  const char* answer;
};

// Each is the same answer, written otherwise.
const Case same[] = {
    {"18", "18"},               {"18.0", "18"},             {"18", "18.0"},          {"18", "18."},
    {"1234", "1,234"},          {"1,234,567", "1234567"},   {"0.1", "1/10"},         {"1/10", "0.1"},
    {"2/4", "\\frac{1}{2}"},    {"0.5", "\\dfrac12"},       {"-1/2", "\\frac{-1}{2}"}, {"-1/2", "-\\frac{1}{2}"},
    {"0", "-0"},                {"0", "0.000"},             {"1000", "1e3"},         {"0.05", "5E-2"},
    {"7", "007"},               {"7", "+7"},                {"-7", "\u22127"},       {"-7", "- 7"},
    {"18", "$18"},              {"18", "\\$18"},            {"18", "$18$"},          {"18.90", "\\$18.9"},
    {"10000", "10,\\!000"},     {"10000", "10{,}000"},      {"18", "\\text{18}"},    {"18", "18 \\text{ dollars}"},
    {"18", "18 dollars"},       {"5 cm", "5\\text{ cm}"},   {"50%", "50\\%"},        {"0.5", "50%"},
    {"45", "45^\\circ"},        {"45^{\\circ}", "45 degrees"}, {"18", "**18**"},     {"18", "  18 \n"},
    {"Paris", "paris"},         {"x^2+1", "x^2 + 1"},       {"\\text{Yes}", "yes."}, {"(1, 2)", "\\left(1,2\\right)"},
    {"12345678901234567890123", "12,345,678,901,234,567,890,123"}, {"\\frac{3}{4}", "3 / 4"}, {".5", "0.5"},
    {"12", "１２"},              {"1/3", "0.3333333333333333"}};

// Each looks alike and is another answer.
const Case different[] = {
    {"18", "19"},              {"1234", "1,23"},           {"123", "1,23"},        {"1", "1,23"},
    {"1/3", "0.333"},          {"1/3", "0.33333"}, {"10000", "10001"},  {"1", "100"},
    {"1", "0.01"},             {"50", "50%"},             {"12", "\u0661\u0662"},
    {"12", "1 2"},             {"2", "2t"},                {"2", "2 pi"},          {"2", "2\\mathrm{e}"},
    {"5", "5 \\text{ million}"}, {"5", "5 million"},       {"5 cm", "5 km"},       {"$18", "18x"},
    {"-7", "7"},               {"1/2", "2/1"},             {"1/2", "1/0"},         {"4/5", "1\\frac45"},
    {"12", "\\frac12"},        {"18", "{18"},              {"18", "18 or 19"},     {"18", "18, 19"},
    {"(1,2)", "(1,3)"},        {"12", "(1,2)"},            {"(1,2)", "[1,2]"},     {"[0,1)", "(0,1]"},
    {"Paris", "London"},       {"Paris", "Paris or London"}, {"12_3", "12_5"},     {"New York", "NewYork"},
    {"18", "0x12"},            {"1e3", "1e4"},             {"18446744073709551617", "1"}, {"18\\text{ cm}", "18 \\text{ kg}"},
    {"a", "\\text{}"},         {"x", "2"},                 {"1 23", "123"},           {"1,234", "1 ,234"}};

double value(const std::string& completion, const std::string& gold, OptionList options = {}) {
  auto math = make("math", std::move(options));
  const auto outcome = score_one(*math, item(completion, gold));
  INFO("gold " << gold << ", completion " << completion << ": " << outcome.detail);
  REQUIRE(outcome.has_value());
  return outcome.value;
}

Status status(const std::string& completion, const std::string& gold, OptionList options = {}, std::string prompt = "") {
  auto math = make("math", std::move(options));
  const auto outcome = score_one(*math, item(completion, gold, std::move(prompt)));
  if (outcome.status == Status::no_answer) REQUIRE(outcome.value == 0.0);
  return outcome.status;
}

}  // namespace

TEST_CASE("math pays for the same answer written otherwise", "[math]") {
  for (const auto& [gold, answer] : same) {
    INFO("gold " << gold << ", answer " << answer);
    CHECK(value(std::string("so \\boxed{") + answer + "}.", gold) == 1.0);
    CHECK(value(std::string("<think>.</think><answer>") + answer + "</answer>", gold) == 1.0);
    CHECK(value(std::string("\\boxed{") + gold + "}", answer) == 1.0);  // either may be the gold
  }
}

TEST_CASE("math pays nothing for another answer that looks alike", "[math]") {
  for (const auto& [gold, answer] : different) {
    INFO("gold " << gold << ", answer " << answer);
    CHECK(value(std::string("<answer>") + answer + "</answer>", gold) == 0.0);
  }
}

TEST_CASE("math reads <answer>, then the last box, then what follows \"answer is\" or ####", "[math]") {
  REQUIRE(value("\\boxed{1} no, \\boxed{2}", "2") == 1.0);
  REQUIRE(value("\\boxed{1} no, \\boxed{2}", "1") == 0.0);
  REQUIRE(value("\\boxed{\\boxed{5}}", "5") == 1.0);
  REQUIRE(value("<answer>The answer is \\boxed{5}.</answer>", "5") == 1.0);
  REQUIRE(value("<answer>1</answer><answer>2</answer>", "2") == 1.0);
  REQUIRE(value("<answer>1</answer><answer>2</answer>", "1") == 0.0);
  REQUIRE(value("The answer is 5.", "5") == 1.0);
  REQUIRE(value("#### 4\nso\n#### 5\nDone.", "5") == 1.0);
  REQUIRE(value("\\boxed{\\{1, 2\\}}", "\\{1,2\\}") == 1.0);
  REQUIRE(value("\\boxed{7} and \\boxed{8", "7") == 1.0);  // the open one is none
}

TEST_CASE("strict takes a box or <answer> alone", "[math]") {
  const OptionList strict = {{"extraction", "strict"}};
  REQUIRE(value("\\boxed{5}", "5", strict) == 1.0);
  REQUIRE(value("<answer>5</answer>", "5", strict) == 1.0);
  REQUIRE(status("The answer is 5.\n#### 5", "5", strict) == Status::no_answer);
}

TEST_CASE("a completion without an answer is no_answer", "[math]") {
  for (const char* text : {"", "18", "<answer></answer>", "<answer> \n</answer>", "\\boxed{}", "\\boxed{18", "<answer>18",
                           "18</answer>", "</answer>18<answer>", "#### ", "boxed{18}", "\\boxedx{18}", "The answer is"}) {
    INFO(text);
    CHECK(status(text, "18") == Status::no_answer);
  }
}

TEST_CASE("an answer given while thinking is none", "[math]") {
  REQUIRE(status("<think>\\boxed{5}</think> I forgot.", "5") == Status::no_answer);
  REQUIRE(status("<think>\\boxed{5}", "5") == Status::no_answer);
  REQUIRE(status("<answer>5</answer><think>now I think</think>", "5") == Status::no_answer);
  REQUIRE(status("<answer>5</answer><think>", "5") == Status::no_answer);
  REQUIRE(status("\\boxed{5}", "5", {}, "User: 2+3? Assistant: <think>\n") == Status::no_answer);
  REQUIRE(status("hm</think>\\boxed{5}", "5", {}, "User: 2+3? Assistant: <think>\n") == Status::scored);
}

TEST_CASE("lenient takes the last formula or number of the text, and only when nothing is marked", "[math]") {
  const OptionList lenient = {{"extraction", "lenient"}};
  REQUIRE(value("She pays $1,234.50.", "1234.5", lenient) == 1.0);
  REQUIRE(value("It is 3 or 4", "4", lenient) == 1.0);
  REQUIRE(value("It is -4.", "-4", lenient) == 1.0);
  REQUIRE(status("7-4", "4", lenient) == Status::no_answer);
  REQUIRE(value("half, 1/2", "0.5", lenient) == 1.0);
  REQUIRE(value("1/2", "2", lenient) == 0.0);
  REQUIRE(value("1,23", "23", lenient) == 0.0);
  REQUIRE(value("\\boxed{3} is not 4", "4", lenient) == 0.0);
  REQUIRE(status("none", "4", lenient) == Status::no_answer);
  REQUIRE(status("\u0664", "4", lenient) == Status::no_answer);
}

TEST_CASE("a gold in GSM8K's or MATH's form is cut to its answer", "[math]") {
  const std::string gsm8k = "He has 48/2 = <<48/2=24>>24.\nTogether 72.\n#### 72";
  REQUIRE(value("\\boxed{72}", gsm8k) == 1.0);
  REQUIRE(value("\\boxed{24}", gsm8k) == 0.0);
  REQUIRE(value("\\boxed{1,234}", "text\n#### 1234") == 1.0);
  REQUIRE(value("\\boxed{0.75}", "We see that \\fbox{\\frac{3}{4}} is it.") == 1.0);
}

TEST_CASE("a gold that cannot be read gives no value, and check_answer says why", "[math]") {
  auto math = make("math");
  std::string long_text = "no";
  for (int i = 0; i < 100; ++i) long_text += " one";
  const std::string bad[] = {"", "  ", "####", "solution\n####  ", "$", "{1", "1}", "\\text{}", std::string("1\0", 2),
                             "\xff", "\xc3", "\xed\xa0\x80", "\xc0\xaf", std::string(300, '!'), long_text};
  for (const auto& gold : bad) {
    INFO("gold " << gold);
    CHECK(status("\\boxed{18}", gold) == Status::not_applicable);
    CHECK(status("\\boxed{" + gold + "}", gold) == Status::not_applicable);  // not even its own copy pays
    CHECK_FALSE(math->check_answer(gold).empty());
  }
  REQUIRE(math->check_answer("18").empty());
  REQUIRE(math->check_answer(std::string(2000, '7')).empty());
  REQUIRE(math->check_answer("a b\n#### 1,000").empty());
  REQUIRE(math->check_answer("Zürich").empty());
}

TEST_CASE("NUL bytes and broken UTF-8 in a completion are wrong, not fatal", "[math]") {
  REQUIRE(value("<answer>" + std::string("1\0", 2) + "</answer>", "1") == 0.0);
  REQUIRE(value("<answer>1\xff</answer>", "1") == 0.0);
  REQUIRE(value("<answer>\xe2\x88</answer>", "1") == 0.0);
  REQUIRE(value(std::string("\0\xff", 2) + "<answer>1</answer>", "1") == 1.0);
}

TEST_CASE("an answer of a megabyte is not compared", "[math]") {
  const std::string digits(1 << 20, '1');
  REQUIRE(value("<answer>" + digits + "</answer>", "1") == 0.0);
  REQUIRE(value(digits, "1", {{"extraction", "lenient"}}) == 0.0);
  REQUIRE(status(std::string(1 << 20, '{'), "1") == Status::no_answer);
  auto math = make("math");
  REQUIRE(score_one(*math, item("<answer>" + digits + "</answer>", "1")).extracted.size() <= 1000);
}

TEST_CASE("a JSON list of strings is several golds, one of which is enough", "[math]") {
  const std::string gold = R"(["1/2", "x=2"])";
  REQUIRE(value("\\boxed{0.5}", gold) == 1.0);
  REQUIRE(value("\\boxed{2}", gold) == 1.0);
  REQUIRE(value("\\boxed{3}", gold) == 0.0);
  REQUIRE(value("\\boxed{[1,2]}", "[1,2]") == 1.0);  // numbers: an interval
  auto math = make("math");
  REQUIRE(math->check_answer(gold).empty());
  REQUIRE_FALSE(math->check_answer(R"(["1/2", "{"])").empty());
  REQUIRE(status("\\boxed{3}", R"(["1/2", "{"])") == Status::not_applicable);
}

TEST_CASE("a profile decides where verifiers disagree", "[math]") {
  REQUIRE(value("\\boxed{50\\%}", "50") == 0.0);
  REQUIRE(value("\\boxed{50\\%}", "50", {{"profile", "gsm8k"}}) == 1.0);
  REQUIRE(value("\\boxed{\\frac{2}{4}}", "\\frac{1}{2}") == 1.0);
  REQUIRE(value("\\boxed{\\frac{2}{4}}", "\\frac{1}{2}", {{"profile", "prm800k"}}) == 0.0);
}
