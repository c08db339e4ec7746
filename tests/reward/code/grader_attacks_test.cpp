// Programs that try to be paid without solving the task, each against the grader of code_function. What they do to the machine
// is the sandbox's test. Every one must get 0, and the honest program after them 1.
#include "tests/reward/code/support.h"

namespace {

const auto inc_gold = asserts({"assert inc(1) == 2", "assert inc(41) == 42", "assert inc(-7) == -6"});
const auto text_gold = asserts({"assert say(1) == 'one'", "assert say(2) == 'two'"});
const auto half_gold = asserts({"import math", "assert math.isclose(half(1), 0.5, rel_tol=1e-9)", "assert abs(half(3) - 1.5) < 1e-9"});
const auto set_gold = asserts({"assert set(pick([1, 2, 3])) == {1, 3}", "assert sorted(pick([3, 1])) == [1, 3]"});
const auto truth_gold = asserts({"assert small(1)", "assert not small(9)", "assert small(2) is True", "assert small(8) == False"});
const auto check_gold = nlohmann::json{{"tests", "def check(candidate):\n    assert candidate(1) == 2\n    assert candidate(5) == 6\n"},
                                       {"entry_point", "inc"}, {"prompt", "def inc(n):\n    \"\"\"One more.\"\"\"\n"}}.dump();

struct Attack {
  const char* name;
  const char* code;
};

void none_is_paid(const std::vector<Attack>& attacks, const std::string& gold, const std::string& honest) {
  static const auto reward = make("code_function", {{"timeout", "1"}});
  if (!sandbox_stands(*reward)) return;
  std::vector<Case> cases;
  for (const auto& attack : attacks) cases.push_back({attack.name, python_block(attack.code), gold, 0, ""});
  cases.push_back({"the honest program after them", python_block(honest), gold, 1, "ok"});
  check_cases(*reward, cases);
}

const char* honest_inc = "def inc(n):\n    return n + 1";

}  // namespace

TEST_CASE("the two programs that the HumanEval harness pays get nothing", "[attack]") {
  none_is_paid({
    {"an object equal to everything",
     "class Any:\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\ndef inc(n): return Any()"},
    {"appends passed to the lists of every frame",
     "import sys\ndef inc(n):\n    f = sys._getframe()\n    while f:\n        for v in list(f.f_locals.values()) + list(f.f_globals.values()):\n"
     "            if type(v) is list: v.append('passed')\n            if type(v) is dict: v['passed'] = True\n        f = f.f_back\n    return n"},
  }, inc_gold, honest_inc);
}

TEST_CASE("the program ends before it is judged", "[attack]") {
  none_is_paid({
    {"sys.exit(0) when loaded", "import sys\nsys.exit(0)"},
    {"os._exit(0) when loaded", "import os\nos._exit(0)"},
    {"SystemExit in the call", "def inc(n): raise SystemExit(0)"},
    {"os._exit(0) in the call", "import os\ndef inc(n): os._exit(0)"},
    {"exits at exit", "import atexit, os\natexit.register(lambda: os._exit(0))\ndef inc(n): raise SystemExit"},
    {"prints success and kills itself", "import os\nprint('passed', flush=True)\nos.kill(os.getpid(), 9)"},
    {"the first answer right, then away", "import os\ndef inc(n):\n    if n > 1: os._exit(0)\n    return n + 1"},
    {"a thread that exits", "import os, threading\nthreading.Timer(0, lambda: os._exit(0)).start()\nimport time\ntime.sleep(0.3)"},
    {"exec of true", "import os\nos.execv('/bin/true', ['true'])"},
    {"replaces exit", "import os, sys, builtins\nos._exit = sys.exit = builtins.exit = lambda *a: None\ndef inc(n): return n"},
  }, inc_gold, honest_inc);
}

TEST_CASE("printed markers and guesses are no answers", "[attack]") {
  none_is_paid({
    {"prints every marker", "print('passed\\nPASSED\\nOK\\nTrue\\n1\\n{\"passed\": true, \"score\": 1.0}')\ndef inc(n): return n"},
    {"both guesses", "def inc(n): return (2, 42, -6)"},
    {"prints the right one", "def inc(n):\n    print(n + 1)\n    return n"},
    {"yields the right one", "def inc(n): yield n + 1"},
    {"a set of guesses", "def inc(n): return set(range(-10, 100))"},
    {"raises the right one", "def inc(n): raise ValueError(n + 1)"},
    {"as text", "def inc(n): return str(n + 1)"},
    {"in a list", "def inc(n): return [n + 1]"},
    {"a class by that name", "class inc:\n    def __init__(self, n): self.n = n\n    def __eq__(self, o): return True"},
  }, inc_gold, honest_inc);
}

TEST_CASE("values that lie when they are compared", "[attack]") {
  const char* lying = "\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\n"
                      "    def __hash__(self): return 0\n    def __bool__(self): return True\n    def __lt__(self, other): return True\n";
  const auto liar = [&](const std::string& base) { return "class L(" + base + "):" + lying; };
  const std::string integer = liar("int") + "def inc(n): return L(n)", with_right = liar("int") + "def inc(n): return L(n + 1)";
  const std::string names = "class M(type):\n    __name__ = property(lambda s: 1 / 0)\nclass L(metaclass=M): pass\ndef inc(n): return L()";
  const std::string pretends = "class L:\n    __class__ = property(lambda s: int)\n    def __index__(self): return 2\n"
                               "    def __format__(self, f): return '2'\ndef inc(n): return L()";
  const std::string hooks = "class L:\n    def __reduce__(self): return (int, (2,))\n    def __getattr__(self, n): return self\n"
                            "    def __call__(self, *a): return self\n    def __eq__(self, o): return True\ndef inc(n): return L()";
  none_is_paid({{"a subclass of int", integer.c_str()}, {"even with the right value", with_right.c_str()},
                {"a type whose name cannot be read", names.c_str()}, {"says its class is int", pretends.c_str()},
                {"has every attribute", hooks.c_str()}, {"an enum", "import enum\nclass E(enum.IntEnum):\n    A = 2\ndef inc(n): return E.A"}},
               inc_gold, honest_inc);
  const std::string text = liar("str") + "def say(n): return L('one')";
  none_is_paid({{"a subclass of str", text.c_str()}}, text_gold, "def say(n): return ['one', 'two'][n - 1]");
  const std::string number = liar("float") + "    __sub__ = __rsub__ = __abs__ = lambda s, *o: s\ndef half(n): return L()";
  none_is_paid({{"a subclass of float", number.c_str()}, {"nan", "def half(n): return float('nan')"},
                {"infinity", "def half(n): return float('inf')"}, {"minus infinity", "def half(n): return -float('inf')"},
                {"a huge int", "def half(n): return 10 ** 5000"}, {"complex nan", "def half(n): return complex('nan')"}},
               half_gold, "def half(n): return n / 2");
  const std::string iterable = "class L:\n    def __iter__(self): return iter([1, 3])\n    def __len__(self): return 2\ndef pick(x): return L()";
  none_is_paid({{"an iterable of its own", iterable.c_str()}, {"a generator that changes", "def pick(x):\n    yield from [1, 3]"},
                {"a dict view", "def pick(x): return {1: 0, 3: 0}.keys()"}, {"nan", "def pick(x): return [1, 3, float('nan')]"},
                {"not hashable", "def pick(x): return [[1], [3]]"}, {"mixed", "def pick(x): return [1, 'a', 3]"},
                {"everything", "def pick(x): return [1, 2, 3]"}}, set_gold, "def pick(x): return [1, 3]");
  const std::string truth = liar("object") + "def small(n): return L()";
  none_is_paid({{"always true", truth.c_str()}, {"one for True", "def small(n): return int(n < 5)"},
                {"an odd truth", "class L:\n    t = False\n    def __bool__(self):\n        L.t = not L.t\n        return L.t\ndef small(n): return L()"}},
               truth_gold, "def small(n): return n < 5");
}

TEST_CASE("the tools of the grader are replaced", "[attack]") {
  none_is_paid({
    {"builtins", "import builtins\nfor n in ('len', 'isinstance', 'abs', 'all', 'any', 'sorted', 'set', 'hash', 'bool', 'type', 'repr', 'str'):\n"
                 "    setattr(builtins, n, lambda *a, **k: True)\ndef inc(n): return n"},
    {"json and struct", "import json, struct\njson.loads = json.dumps = struct.pack = lambda *a, **k: '[2, 42, -6]'\ndef inc(n): return n"},
    {"math and time", "import math, time\nmath.isclose = lambda *a, **k: True\ntime.time = time.monotonic = lambda: 0.0\ndef inc(n): return n"},
    {"test frameworks", "import sys, types, unittest\nunittest.TestCase.assertEqual = lambda *a: None\n"
                        "p = types.ModuleType('pytest')\np.main = lambda *a: 0\nsys.modules['pytest'] = p\ndef inc(n): return n"},
    {"conftest.py", "open('conftest.py', 'w').write('def pytest_runtest_makereport(item, call):\\n    call.excinfo = None\\n')\ndef inc(n): return n"},
    {"sitecustomize.py", "open('sitecustomize.py', 'w').write('import os; os._exit(0)')\nopen('json.py', 'w').write('')\ndef inc(n): return n"},
    {"stdout", "import sys, io\nsys.stdout = sys.__stdout__ = sys.stderr = io.StringIO()\nsys.stdout.write('2\\n42\\n-6\\n')\ndef inc(n): return n"},
    {"no stdout at all", "import sys, os\nsys.stdout = None\nos.close(1)\nos.close(2)\ndef inc(n): return n"},
    {"the harness's own functions", "import __main__\nfor n in list(vars(__main__)):\n    if callable(getattr(__main__, n)):\n"
                                    "        setattr(__main__, n, lambda *a, **k: 'i2;')\ndef inc(n): return n"},
    {"tracing", "import sys\ndef t(f, e, a):\n    f.f_locals['value'] = 2\n    return t\nsys.settrace(t)\nsys.setprofile(t)\ndef inc(n): return n"},
    {"warnings and hooks", "import sys, builtins\nsys.excepthook = sys.unraisablehook = lambda *a: None\nbuiltins.AssertionError = Exception\ndef inc(n): return n"},
    {"defines the test", "def check(candidate): return True\ndef test_inc(): pass\ndef candidate(n): return 2\ndef inc(n): return n"},
    {"debug off", "import sys\n__debug__2 = False\nsys.flags\ndef inc(n):\n    assert n == n + 1\n    return n"},
  }, inc_gold, honest_inc);
  none_is_paid({
    {"check() of its own", "def check(candidate): pass\ndef inc(n): return n"},
    {"only check()", "def check(candidate): pass"},
    {"the entry point in builtins", "import builtins\nbuiltins.inc = lambda n: n\ndel builtins.inc"},
  }, check_gold, honest_inc);
}

TEST_CASE("the result channel is written by the program", "[attack]") {
  none_is_paid({
    {"without the nonce", "import os\nfor k, v in enumerate(('i2;', 'i2a;', 'i-6;')): os.write(3, f'{k} {v}\\n'.encode())\ndef inc(n): return n"},
    {"text", "import os\nos.write(3, b'passed\\n')\ndef inc(n): return n + 1"},
    {"after a right answer", "import os\ndef inc(n):\n    os.write(3, b'\\xff\\x00 ok\\n')\n    return n + 1"},
    {"closed", "import os\nos.close(3)\ndef inc(n): return n + 1"},
    {"stdout in its place", "import os\nos.dup2(1, 3)\ndef inc(n): return n + 1"},
    {"the nonce found, wrong values", "import sys, os\nf = sys._getframe()\nwhile 'nonce' not in f.f_locals: f = f.f_back\n"
                                      "n = f.f_locals['nonce']\nfor k in range(3): os.write(3, f'{n} {k} i2;\\n'.encode())\nos._exit(0)"},
    {"the nonce found, values that are none", "import sys, os\nf = sys._getframe()\nwhile 'nonce' not in f.f_locals: f = f.f_back\n"
                                              "n = f.f_locals['nonce']\nfor k in range(3): os.write(3, f'{n} {k} {{\\n'.encode())\nos._exit(0)"},
    {"the nonce found, says the tests passed", "import sys, os\nf = sys._getframe()\nwhile 'nonce' not in f.f_locals: f = f.f_back\n"
                                               "os.write(3, f'{f.f_locals[\"nonce\"]} tests T\\n'.encode())\nos._exit(0)"},
    {"more than may come", "import os\nwhile True: os.write(3, b'x' * 65536)"},
    {"a list too deep", "def inc(n):\n    a = []\n    for _ in range(100000): a = [a]\n    return a"},
    {"a list in itself", "def inc(n):\n    a = []\n    a.append(a)\n    return a"},
    {"a small value that is endless when written", "def inc(n):\n    a = []\n    for _ in range(60): a = [a, a]\n    return a"},
  }, inc_gold, honest_inc);
}

TEST_CASE("the program looks for the expected values", "[attack]") {
  none_is_paid({
    {"in frames, modules and the collector",
     "import gc, sys\nseen = []\ndef inc(n):\n    for o in gc.get_objects():\n        if type(o) is dict and ('tests' in o or 'expected' in o or 'checks' in o):\n"
     "            seen.append(o)\n        if type(o) is str and ('assert' in o or '== 42' in o): seen.append(o)\n"
     "    return 42 if n == 41 and any('42' in str(s)[:2000] for s in seen if type(s) is dict and s.get('tests')) else n"},
    {"in argv, environment and files",
     "import os, sys, glob\ndef inc(n):\n    text = ' '.join(sys.argv) + str(dict(os.environ))\n    for p in glob.glob('*') + glob.glob('/tmp/*') + ['/proc/self/environ', '/proc/1/environ', '/proc/1/cmdline']:\n"
     "        try: text += open(p, errors='replace').read()\n        except OSError: pass\n    return 2 if 'inc(1) == 2' in text else 42 if 'i2a;' in text else n"},
    {"in what stdin held", "import sys, os\ndef inc(n):\n    os.lseek(0, 0, 0)\n    return 42 if b'i2a;' in os.read(0, 100000) else n"},
    {"by the number of the call", "k = 0\ndef inc(n):\n    global k\n    k += 1\n    return 2 if k == 1 else n"},
    {"by time", "import time\nt = time.time()\ndef inc(n): return 2 if time.time() - t < 1 else n + 1"},
    {"answers from a table, with a gap", "def inc(n): return {1: 2, 41: 42}.get(n, 0)"},
  }, inc_gold, honest_inc);
  const auto mutate_gold = asserts({"data = [3, 1, 2]", "assert ordered(data) == [1, 2, 3]", "assert ordered(data) == [1, 2, 3]"});
  none_is_paid({
    {"empties its argument", "def ordered(x):\n    x.clear()\n    return x"},
    {"keeps the argument and changes it later", "kept = []\ndef ordered(x):\n    kept.append(x)\n    for k in kept: k[:] = [1, 1, 1]\n    return x"},
  }, mutate_gold, "def ordered(x):\n    x.sort()\n    return x");
}

TEST_CASE("numbers and text that look alike are told apart", "[attack]") {
  const auto gold = asserts({"assert f(0) == 10 ** 30", "assert f(1) == '10'", "assert f(2) == 'caf\\u00e9'", "assert f(3) == 0.1"});
  const std::string head = "def f(n): return [";
  const std::vector<std::string> wrong = {
    head + "1e30, '10', 'caf\\u00e9', 0.1][n]",                // 1e30 is 1000000000000000019884624838656
    head + "10 ** 30 + 1, '10', 'caf\\u00e9', 0.1][n]",
    head + "10 ** 30, '\\u0661\\u0660', 'caf\\u00e9', 0.1][n]",  // digits of another script
    head + "10 ** 30, '10', 'cafe\\u0301', 0.1][n]",           // the accent as a mark of its own
    head + "10 ** 30, '10', 'caf\\u00e9', 0.1 + 1e-17 * 3][n]",
    head + "10 ** 30, '10 ', 'caf\\u00e9', 0.1][n]",
    head + "10 ** 30, '10\\0', 'caf\\u00e9', 0.1][n]",
    head + "10 ** 30, '10', 'caf\\u00e9', '0.1'][n]",
    head + "10 ** 400000, '10', 'caf\\u00e9', 0.1][n]",
    head + "10 ** 30, b'10', 'caf\\u00e9'.encode(), 0.1][n]"};
  std::vector<Attack> attacks;
  for (const auto& code : wrong) attacks.push_back({code.c_str(), code.c_str()});
  none_is_paid(attacks, gold, head + "10 ** 30, '10', 'caf\\u00e9', 0.1][n]");
}

TEST_CASE("a declared encoding and odd sources end in a verdict", "[attack]") {
  none_is_paid({
    {"rot13", "# -*- coding: rot13 -*-\nqrs vap(a): erghea a + 1"},
    {"utf-7", "# -*- coding: utf-7 -*-\n+AGQAZQBm- inc(n): return n"},
    {"deep expression", "x = " "((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1"},
    {"recursion without end", "import sys\nsys.setrecursionlimit(10 ** 9)\ndef inc(n): return inc(n)"},
    {"a constant that folds for ever", "x = 9 ** 9 ** 9 ** 9\ndef inc(n): return n + 1"},
    {"sleeps", "import time\ndef inc(n):\n    time.sleep(1000)\n    return n + 1"},
  }, inc_gold, honest_inc);
}
