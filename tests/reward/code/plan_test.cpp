// How tests are rewritten. The planner's script runs in the sandbox, as it does in use.
#include "reward/code/plan.h"

#include <memory>

#include "tests/reward/code/support.h"

using namespace reward::code;
using Catch::Matchers::Contains;

namespace {

// One sandbox for this file; none where its walls do not stand.
reward::sandbox::Sandbox* shared_sandbox() {
  static const auto sandbox = []() -> std::unique_ptr<reward::sandbox::Sandbox> {
    try {
      return std::make_unique<reward::sandbox::Sandbox>(1);
    } catch (const reward::Error& error) {
      WARN("not run: " << error.what());
      return nullptr;
    }
  }();
  return sandbox.get();
}

Plan plan_of(const std::string& tests, const std::string& entry_point = "", const std::string& setup = "",
             const std::string& prompt = "") {
  Planner planner([](const auto& job) { return shared_sandbox()->run(job); });
  FunctionGold gold;
  gold.tests = tests;
  gold.entry_point = entry_point;
  gold.setup = setup;
  gold.prompt = prompt;
  return *planner.plan(gold, tests);
}

// A plan without a weak part and with so many calls and checks, none of which needs Python.
void strong(const std::string& tests, int64_t calls, size_t checks, const std::string& entry_point = "") {
  const auto plan = plan_of(tests, entry_point);
  INFO(tests << "\n" << plan.problem << (plan.weak.empty() ? "" : plan.weak[0]));
  CHECK(plan.problem.empty());
  CHECK(plan.weak.empty());
  CHECK(plan.may_raise.size() == static_cast<size_t>(calls));
  REQUIRE(plan.checks.size() == checks);
  for (const auto& check : plan.checks) CHECK(check.op != Check::Op::python);
}

}  // namespace

TEST_CASE("an assert becomes a call with its arguments and a check with the expected value", "[plan]") {
  if (!shared_sandbox()) return;
  const auto plan = plan_of("assert f([1, 2], key='a') == (7, 8)");
  REQUIRE(plan.checks.size() == 1);
  CHECK(plan.checks[0].op == Check::Op::eq);
  CHECK(plan.checks[0].arguments.at(1).constant.items.size() == 2);
  CHECK(plan.may_raise.size() == 1);
  CHECK_THAT(plan.calls_json, Contains("f(__bind0, key=__bind1)") && Contains("[i1;i2;]") && Contains("s61;"));
  CHECK_THAT(plan.calls_json, !Contains("i7;") && !Contains("i8;"));
}

TEST_CASE("what stands around a call is rewritten too", "[plan]") {
  if (!shared_sandbox()) return;
  strong("assert f(1) == 2, 'message'\nassert f(2) == 3", 2, 2);
  strong("assert set(f(1)) == set([1, 2])\nassert sorted(f(1)) == [1]\nassert tuple(f(1)) == (1,)\nassert len(f(1)) == 3", 4, 4);
  strong("import math\nassert math.isclose(f(1), 2.5, rel_tol=0.001)\nassert abs(f(1) - 2.0 / 3) < 1e-6", 2, 2);
  strong("assert f(1)\nassert not f(2)\nassert f(3) is True\nassert f(4) is not None\nassert f(5) in (1, 2)", 5, 5);
  strong("assert f(1) == 2 and f(2) == 3\nassert 1 < f(3) <= 5", 3, 2);
  strong("assert f(g(2)) == 3\nx = f(1)\nassert g(x) == 2", 3, 2);  // the inner call happens where the outer one does
  strong("assert Solution().add(1, 2) == 3\nassert f('a').upper() == 'A'", 2, 2);
  strong("assert f(lambda x: x + 1, int, 3) == 4", 1, 1);
  strong("assert sum(10, 15) == 25", 1, 1);  // the candidate's own sum
}

TEST_CASE("loops, variables and helpers of the tests are worked out first", "[plan]") {
  if (!shared_sandbox()) return;
  strong("for i in range(2, 5):\n    assert f(i, i + 1) == str(i)", 3, 3);
  strong("for a, b in [(1, 2), (3, 4)]:\n    if a > 1:\n        assert f(a) == b", 1, 1);
  strong("cases = {1: 2, 3: 4}\nfor k, v in cases.items():\n    r = f(k)\n    assert r == v", 2, 2);
  strong("def double(x):\n    return 2 * x\ndef check(candidate):\n    assert candidate(double(2)) == double(4)", 1, 1, "f");
  strong("def test_a():\n    assert f(1) == 1\ndef test_b():\n    y = 3\n    assert f(y) == y", 2, 2);
  strong("assert all(f(i) == i for i in range(4))", 4, 1);
  strong("def check(candidate):\n    assert candidate(1) == 2\ncheck(f)", 1, 1);
}

TEST_CASE("names that only the candidate knows travel as source", "[plan]") {
  if (!shared_sandbox()) return;
  const auto pairs = plan_of("assert longest([Pair(5, 24), Pair(15, 25)], 2) == 3");
  CHECK(pairs.weak.empty());
  CHECK_THAT(pairs.calls_json, Contains("longest([Pair(__bind0, __bind1), Pair(__bind2, __bind3)], __bind4)"));
  const auto tree = plan_of("assert height(root) == 3", "", "root = Node(1)\nroot.left = Node(2)");
  CHECK(tree.weak.empty());
  CHECK_THAT(tree.calls_json, Contains("height(root)"));
}

TEST_CASE("expected exceptions are checks, and the tests may import the candidate as solution", "[plan]") {
  if (!shared_sandbox()) return;
  strong("import pytest\nfrom solution import f\ndef test_f():\n    with pytest.raises(ValueError):\n        f(-1)\n"
         "    assert f(1) == 1", 2, 2);
  strong("try:\n    f(-1)\n    assert False\nexcept (ValueError, TypeError):\n    pass", 1, 1);
  const auto plan = plan_of("import pytest\n@pytest.fixture\ndef x():\n    return f(1)\ndef test_x(x):\n    assert x == 1");
  CHECK_FALSE(plan.problem.empty());
}

TEST_CASE("the prompt's helpers are known to the tests, its stub is the candidate's", "[plan]") {
  if (!shared_sandbox()) return;
  const std::string prompt = "def encode(s):\n    return s[::-1]\n\n\ndef decode(s):\n    \"\"\"undo\"\"\"\n";
  const auto plan = plan_of("assert decode(encode('ab')) == 'ab'", "", "", prompt);
  CHECK(plan.problem.empty());
  CHECK_THAT(plan.calls_json, Contains("decode(__bind0)") && Contains("s6261;"));
}

TEST_CASE("what only Python can settle is left to it, and its values stay outside", "[plan]") {
  if (!shared_sandbox()) return;
  Planner planner([](const auto& job) { return shared_sandbox()->run(job); });
  FunctionGold gold;
  gold.tests = "import random\ndef poly(x):\n    return x * x - 4\nfor _ in range(3):\n    n = random.randint(1, 9)\n"
               "    r = f(n)\n    assert poly(r) == 0 and len(str(r)) == 1\n";
  const auto plan = planner.plan(gold, "key");
  REQUIRE(plan->checks.size() == 3);
  CHECK(plan->weak.empty());
  CHECK(plan->checks[0].op == Check::Op::python);
  CHECK(planner.judge(gold, *plan, {"i2;", "i-2;", "i3;"}) == std::vector<bool>{true, false, false});
  CHECK(planner.judge(gold, *plan, {"u61;", "N", "i2;"}) == std::vector<bool>{false, false, true});
  CHECK(planner.plan(gold, "key") == plan);  // made once
}

TEST_CASE("what cannot be rewritten is weak and says why; the rest stays strong", "[plan]") {
  if (!shared_sandbox()) return;
  const auto effect = plan_of("assert f([1]) == 2\nxs = [2, 1]\nf(xs)\nassert xs == [1, 2]");
  REQUIRE(effect.weak.size() == 1);
  CHECK_THAT(effect.weak[0], Contains("depends on the candidate"));
  CHECK(effect.checks.size() == 1);
  const auto changed = plan_of("xs = [2, 1]\nassert f(xs) == 1\nassert xs == [2, 1]");
  REQUIRE(changed.weak.size() == 1);
  CHECK_THAT(changed.weak[0], Contains("changed in place"));
  const auto runs = plan_of("assert eval(f(1)) == 2\nassert f(2) == 3");
  REQUIRE(runs.weak.size() == 1);
  CHECK_THAT(runs.weak[0], Contains("run text"));
  CHECK_FALSE(plan_of("while f(1) < 3:\n    pass").weak.empty());
  CHECK_FALSE(plan_of("def helper(x):\n    return f(x) + 1\nassert helper(1) == 3").weak.empty());
}

TEST_CASE("tests that cannot be used are a problem of the gold", "[plan]") {
  if (!shared_sandbox()) return;
  CHECK_THAT(plan_of("assert f(1 ==").problem, Contains("not Python"));
  CHECK_THAT(plan_of("x = 1").problem, Contains("no check"));
  const std::string framework = "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        ";
  CHECK_THAT(plan_of(framework + "self.assertEqual(f(1), 2)").problem, Contains("no check"));
  CHECK_THAT(plan_of("import no_such_module\nassert f(1) == 2").problem, Contains("no_such_module"));
  CHECK_THAT(plan_of("def check(candidate):\n    assert candidate(1) == 2").problem, Contains("entry_point"));
}

TEST_CASE("tests that do not end are a problem of the gold", "[.long][plan]") {
  if (!shared_sandbox()) return;
  CHECK_THAT(plan_of("for i in range(10**12):\n    pass\nassert f(1) == 2").problem, Contains("timeout_cpu"));
}
