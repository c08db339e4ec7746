#include "tests/reward/code/support.h"

using reward::Status;

namespace {

// Any test of this file may share it: a reward has no memory of what it scored.
reward::Reward& function_reward() {
  static const auto reward = make("code_function", {{"timeout", "1"}});
  return *reward;
}

std::string human_eval(const std::string& prompt, const std::string& check, const std::string& entry_point) {
  return nlohmann::json{{"prompt", prompt}, {"tests", check}, {"entry_point", entry_point}}.dump();
}

}  // namespace

TEST_CASE("a function passes if every test does", "[code_function]") {
  auto& reward = function_reward();
  if (!sandbox_stands(reward)) return;
  const auto gold = asserts({"assert inc(1) == 2", "assert inc(41) == 42", "assert inc(-1) == 0"});
  const std::string area = "import math\n\ndef area(r):\n    \"\"\"Of a circle.\"\"\"\n";
  const auto circle = human_eval(area, "def check(candidate):\n    assert abs(candidate(1) - 3.14159265) < 1e-6\n", "area");
  const std::string holder = "from typing import List\n\ndef first(xs: List[int]) -> int:\n    \"\"\"The first.\"\"\"\n";
  const auto first = human_eval(holder, "METADATA = {}\n\ndef check(candidate):\n    assert candidate([3, 4]) == 3\n", "first");
  check_cases(reward, {
    {"right", python_block("def inc(n):\n    return n + 1"), gold, 1, "ok: 3 checks"},
    {"wrong in the last test", python_block("def inc(n):\n    return n + 1 if n > 0 else 1"), gold, 0, "wrong_answer: test 3"},
    {"right up to a type that is equal", python_block("def inc(n):\n    return float(n + 1)"), gold, 1, "ok"},
    {"not a program", python_block("def inc(n) return n + 1"), gold, 0, "runtime_error: SyntaxError while the program"},
    {"another name", python_block("def add(n):\n    return n + 1"), gold, 0, "runtime_error: NameError in call 1"},
    {"raises", python_block("def inc(n):\n    return n + [1][n > 5]"), gold, 0, "runtime_error: IndexError in call 2"},
    {"raises when loaded", python_block("import nothing_here"), gold, 0, "runtime_error: ModuleNotFoundError while"},
    {"asks for input", python_block("def inc(n):\n    return n + 1\ninput()"), gold, 0, "runtime_error: EOFError"},
    {"prints on the way", python_block("print('hello')\ndef inc(n):\n    print(n)\n    return n + 1"), gold, 1, "ok"},
    {"has a main part", python_block("def inc(n):\n    return n + 1\nif __name__ == '__main__':\n    input()"), gold, 1, "ok"},
    {"no program", "<think>hm", gold, 0, "no program"},
    {"a body goes on with the prompt", "    return math.pi * r ** 2\n\ndef area2(r):\n", circle, 1, "ok"},
    {"a wrong body", "    return 3 * r ** 2\n", circle, 0, "wrong_answer: test 1"},
    {"a whole function uses the prompt's imports", python_block("def area(r):\n    return math.pi * r * r"), circle, 1, "ok"},
    {"a stub alone is no answer", python_block("# I do not know."), circle, 0, "wrong_answer"},
    {"with typing from the prompt", python_block("def first(xs: List[int]) -> int:\n    return xs[0]"), first, 1, "ok"},
  });
}

TEST_CASE("values keep their Python types on the way out", "[code_function]") {
  auto& reward = function_reward();
  if (!sandbox_stands(reward)) return;
  const auto equals = [](const std::string& expected) { return asserts({"assert f() == " + expected}); };
  const auto returns = [](const std::string& value, const std::string& head = "") {
    return python_block(head + "\ndef f():\n    return " + value);
  };
  const std::string collections = "import collections";
  check_cases(reward, {
    {"tuple for list", returns("(1, 2)"), equals("[1, 2]"), 0, "wrong_answer"},
    {"list for tuple", returns("[1, 2]"), equals("(1, 2)"), 0, "wrong_answer"},
    {"bool for int", returns("True"), equals("1"), 1, "ok"},
    {"big int", returns("3 ** 5000"), equals("3 ** 5000"), 1, "ok"},
    {"big int, last digit", returns("3 ** 5000 + 1"), equals("3 ** 5000"), 0, "wrong_answer"},
    {"nested", returns("{'a': [(1, {2, 3})], None: b'x'}"), equals("{None: b'x', 'a': [(1, {3, 2})]}"), 1, "ok"},
    {"counter", returns("collections.Counter('aab')", collections), equals("{'a': 2, 'b': 1}"), 1, "ok"},
    {"complex", returns("1 + 2j"), equals("complex(1, 2)"), 1, "ok"},
    {"text", returns("'\\u00e9\\ud800\\0'"), equals("'\\u00e9\\ud800\\0'"), 1, "ok"},
    {"text is no bytes", returns("b'a'"), equals("'a'"), 0, "wrong_answer"},
    {"a generator", returns("(i for i in [1, 2])"), equals("[1, 2]"), 0, "wrong_answer"},
    {"nothing", returns("None"), equals("0"), 0, "wrong_answer"},
    {"a class of the program", returns("A()", "class A: pass"), equals("1"), 0, "wrong_answer"},
    {"a match is true", returns("re.match('a', 'abc')", "import re"), asserts({"assert f()", "assert f() is not None"}), 1, "ok"},
    {"a match is no True", returns("re.match('a', 'abc')", "import re"), equals("True"), 0, "wrong_answer"},
    {"no match", returns("re.match('b', 'abc')", "import re"), asserts({"assert not f()"}), 1, "ok"},
    {"infinity", returns("float('inf')"), equals("float('inf')"), 1, "ok"},
    {"nan is equal to nothing", returns("float('nan')"), equals("float('nan')"), 0, "wrong_answer"},
  });
}

TEST_CASE("tests with classes, setup and settling by Python", "[code_function]") {
  auto& reward = function_reward();
  if (!sandbox_stands(reward)) return;
  const auto tree = asserts({"assert height(root) == 2"}, "root = Node(1)\nroot.left = Node(2)");
  const std::string node = "class Node:\n    def __init__(self, v):\n        self.v, self.left = v, None\n\ndef height(n):\n";
  const auto settled = asserts({"assert round(f(1), 2) == 0.33", "assert str(f(3)) == '[1, 2]'"});
  const auto looped = asserts({"assert round(f(1), 2) == 0.33", "assert [x * 2 for x in f(3)] == [2, 4]"});
  const auto in_place = asserts({"xs = [2, 1]\nf(xs)\nassert xs == [1, 2]"});
  const auto third_or = [](const std::string& other) {
    return python_block("def f(n):\n    return 1 / 3 if n == 1 else " + other);
  };
  const auto raises = [](const std::string& kind) {
    return python_block("def f(n):\n    if n < 0: raise " + kind + "\n    return n");
  };
  const auto raising = asserts({"import pytest\nwith pytest.raises(ArithmeticError):\n    f(-1)", "assert f(1) == 1"});
  check_cases(reward, {
    {"setup needs the program's class", python_block(node + "    return 1 + height(n.left) if n else 0"), tree, 1, "ok"},
    {"wrong height", python_block(node + "    return 1"), tree, 0, "wrong_answer"},
    {"two tests that Python settles", third_or("[1, 2]"), settled, 1, "ok: 2 checks"},
    {"one of them wrong", third_or("[1, 3]"), settled, 0, "wrong_answer: test 2"},
    {"a loop over what comes back is weak", third_or("[1, 2]"), looped, 1, "ok: 1 checks (weak tests: a loop over"},
    {"and is still run", third_or("[1, 3]"), looped, 0, "wrong_answer: an assert"},
    {"raises what it should", raises("ZeroDivisionError"), raising, 1, "ok: 2 checks"},
    {"raises something else", raises("KeyError"), raising, 0, "wrong_answer: test 1"},
    {"does not raise", python_block("def f(n):\n    return n"), raising, 0, "wrong_answer: test 1"},
    {"raises always", python_block("def f(n):\n    raise ArithmeticError"), raising, 0, "runtime_error: ArithmeticError in"},
    {"sorting in place", python_block("def f(xs):\n    xs.sort()"), in_place, 1, "ok: 0 checks (weak"},
    {"not sorting", python_block("def f(xs):\n    pass"), in_place, 0, "wrong_answer"},
  });
}

TEST_CASE("weak tests can be refused", "[code_function]") {
  auto strict = make("code_function", {{"allow_weak", "false"}});
  if (!sandbox_stands(*strict)) return;
  const auto gold = asserts({"xs = [2, 1]\nf(xs)\nassert xs == [1, 2]"});
  const auto got = score_one(*strict, item(python_block("def f(xs):\n    xs.sort()"), gold));
  CHECK(got.status == Status::not_applicable);
  CHECK(strict->check_answer(gold).find("allow_weak") != std::string::npos);
  CHECK(function_reward().check_answer(gold).empty());
}

TEST_CASE("a gold without usable tests is found before training and gives no value", "[code_function]") {
  auto& reward = function_reward();
  if (!sandbox_stands(reward)) return;
  for (const auto& gold : {std::string("42"), std::string("{}"), asserts({"x = 1"}), asserts({"assert f(1 =="})}) {
    CHECK_FALSE(reward.check_answer(gold).empty());
    CHECK(score_one(reward, item(python_block("def f(n): return n"), gold)).status == Status::not_applicable);
  }
  CHECK(reward.check_answer(asserts({"assert f(1) == 2"})).empty());
}

TEST_CASE("a program without end is a 0, a deadline before its time is a timeout without a value", "[code_function]") {
  auto& reward = function_reward();
  if (!sandbox_stands(reward)) return;
  const auto gold = asserts({"assert f(1) == 1"});
  const std::string hang = python_block("def f(n):\n    while True:\n        try:\n            while True: pass\n"
                                        "        except BaseException: pass");
  const auto full = score_one(reward, item(hang, gold));
  CHECK(full.status == Status::scored);
  CHECK(full.value == 0.0);
  CHECK(full.detail == "timeout_cpu: in call 1");
  const auto soon = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
  const auto cut = reward.score({item(hang, gold), item(hang, gold), item(hang, gold)}, soon);
  for (const auto& outcome : cut) CHECK(outcome.status == Status::timeout);
}

TEST_CASE("a gold may set its own limits", "[code_function]") {
  auto& reward = function_reward();
  if (!sandbox_stands(reward)) return;
  const std::string bytes = python_block("def f(n):\n    return len(bytearray(200 << 20)) >> 20");
  const std::string roomy = R"({"tests": "assert f(1) == 200"})", tight = R"({"tests": "assert f(1) == 200", "memory_mb": 64})";
  CHECK(score_one(reward, item(bytes, roomy)).value == 1.0);
  CHECK(score_one(reward, item(bytes, tight)).value == 0.0);
}

TEST_CASE("options out of range are errors", "[code_function]") {
  for (const char* name : {"timeout", "memory_mb", "parallel"})
    for (const char* text : {"0", "-1", "x", "", "1e9", "nan"})
      CHECK_THROWS_AS(make("code_function", {{name, text}}), reward::Error);
  CHECK_THROWS_AS(make("code_stdio", {{"checker", "fuzzy"}}), reward::Error);
  CHECK_THROWS_AS(make("code_stdio", {{"language", "perl"}}), reward::Error);
}
