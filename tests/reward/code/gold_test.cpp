#include "reward/code/gold.h"

#include "tests/support/catch.h"

using namespace reward::code;
using Catch::Matchers::Contains;

TEST_CASE("tests may be one text or a list of texts", "[gold]") {
  CHECK(read_function_gold(R"({"tests": "assert f(1) == 2"})").tests == "assert f(1) == 2");
  const auto gold = read_function_gold(R"json({"tests": ["assert f(1)", "assert f(2)"], "setup": "import math", "entry_point": "f",
                                           "prompt": "def f(x):\n", "timeout": 1.5, "memory_mb": 64, "task_id": 7})json");
  CHECK(gold.problem.empty());
  CHECK(gold.tests == "assert f(1)\nassert f(2)\n");
  CHECK(gold.setup == "import math");
  CHECK(gold.entry_point == "f");
  CHECK(gold.prompt == "def f(x):\n");
  CHECK(gold.limits.timeout_s == 1.5);
  CHECK(gold.limits.memory_mb == 64);
}

TEST_CASE("a gold of inputs and outputs has as many of both", "[gold]") {
  const auto gold = read_stdio_gold(R"({"inputs": ["1\n", ["2", "3"]], "outputs": ["1", "5"], "language": "cpp",
                                        "checker": "float:1e-9"})");
  CHECK(gold.problem.empty());
  CHECK(gold.inputs == std::vector<std::string>{"1\n", "2\n3\n"});
  CHECK(gold.language == Language::cpp);
  CHECK(gold.checker == "float:1e-9");
  CHECK_THAT(read_stdio_gold(R"({"inputs": ["1"], "outputs": []})").problem, Contains("outputs"));
  CHECK_THAT(read_stdio_gold(R"({"inputs": ["1"], "outputs": ["1", "2"]})").problem, Contains("1 inputs and 2 outputs"));
  CHECK_THAT(read_stdio_gold(R"({"inputs": [], "outputs": []})").problem, Contains("inputs"));
  CHECK_THAT(read_stdio_gold(R"({"inputs": [1], "outputs": ["1"]})").problem, Contains("inputs"));
  CHECK_THAT(read_stdio_gold(R"({"inputs": ["1"], "outputs": ["1"], "language": "perl"})").problem, Contains("perl"));
  CHECK_THAT(read_stdio_gold(R"({"inputs": ["1"], "outputs": ["1"], "checker": "fuzzy"})").problem, Contains("fuzzy"));
}

TEST_CASE("a gold that cannot be read says why", "[gold]") {
  for (const char* text : {"", "42", "[1]", "{", "numbers=1,2 target=3", "{\"tests\": \xff}"})
    CHECK_THAT(read_function_gold(text).problem, Contains("JSON"));
  CHECK_THAT(read_function_gold("{}").problem, Contains("tests"));
  CHECK_THAT(read_function_gold(R"({"tests": ""})").problem, Contains("tests"));
  CHECK_THAT(read_function_gold(R"({"tests": 7})").problem, Contains("tests"));
  CHECK_THAT(read_function_gold(R"({"tests": ["a", 7]})").problem, Contains("tests"));
  CHECK_THAT(read_function_gold(R"({"tests": "a", "timeout": 0})").problem, Contains("timeout"));
  CHECK_THAT(read_function_gold(R"({"tests": "a", "memory_mb": 1})").problem, Contains("memory_mb"));
}
