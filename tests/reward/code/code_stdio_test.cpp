#include "tests/reward/code/support.h"

using reward::Status;

namespace {

reward::Reward& stdio_reward() {
  static const auto reward = make("code_stdio", {{"timeout", "1"}, {"language", "any"}});
  return *reward;
}

// Small tasks in the manner of Codeforces, written for this test.
const auto sum_gold = stdio({"3\n1 2 3\n", "1\n-5\n", "2\n1000000000 1000000000\n"}, {"6\n", "-5\n", "2000000000\n"});
const auto even_gold = stdio({"3\n4\n7\n10\n", "1\n1\n"}, {"YES\nNO\nYES\n", "NO\n"}, "yes_no");
const auto mean_gold = stdio({"3\n1 2 4\n", "2\n1 2\n"}, {"2.3333333333\n", "1.5\n"}, "float:1e-6");

}  // namespace

TEST_CASE("a Python program passes if it prints what it should for every input", "[code_stdio]") {
  auto& reward = stdio_reward();
  if (!sandbox_stands(reward)) return;
  const std::string each = "for _ in range(int(input())):\n    ";
  check_cases(reward, {
    {"sum", python_block("n = int(input())\nprint(sum(map(int, input().split())))"), sum_gold, 1, "ok: 3 tests"},
    {"sum of the first", python_block("n = int(input())\nprint(input().split()[0])"), sum_gold, 0, "wrong_answer: test 1"},
    {"a special case", python_block("n = int(input())\nprint(6 if n == 3 else -5)"), sum_gold, 0, "wrong_answer: test 3"},
    {"even", python_block(each + "print('no' if int(input()) % 2 else 'Yes')"), even_gold, 1, "ok"},
    {"even, upside down", python_block(each + "print('yes' if int(input()) % 2 else 'no')"), even_gold, 0, "wrong_answer"},
    {"mean", python_block("n = int(input())\nprint(sum(map(int, input().split())) / n)"), mean_gold, 1, "ok"},
    {"whole mean", python_block("n = int(input())\nprint(sum(map(int, input().split())) // n)"), mean_gold, 0, "wrong_answer"},
    {"stdin in other ways", python_block("import sys\nprint(sum(map(int, sys.stdin.read().split()[1:])))"), sum_gold, 1, "ok"},
    {"open(0)", python_block("print(sum(int(x) for x in list(open(0))[1].split()))"), sum_gold, 1, "ok"},
    {"a main part", python_block("def main():\n    input()\n    print(sum(map(int, input().split())))\n\n"
                                 "if __name__ == '__main__':\n    main()"), sum_gold, 1, "ok"},
    {"crash", python_block("print(1 / 0)"), sum_gold, 0, "runtime_error: test 1"},
    {"not Python", python_block("print(1"), sum_gold, 0, "runtime_error: test 1"},
    {"right, then an exit code", python_block("input()\nprint(sum(map(int, input().split())))\nraise SystemExit(3)"), sum_gold, 0,
     "runtime_error: test 1"},
    {"nothing", "I cannot.</think>", sum_gold, 0, "no program"},
  });
}

TEST_CASE("a C++ program is compiled once and run for every input", "[code_stdio]") {
  auto& reward = stdio_reward();
  if (!sandbox_stands(reward)) return;
  check_cases(reward, {
    {"sum", cpp_block("#include <iostream>\nint main() {\n  long long n, x, s = 0;\n  std::cin >> n;\n"
                      "  while (n-- && std::cin >> x) s += x;\n  std::cout << s << \"\\n\";\n}"), sum_gold, 1, "ok: 3 tests"},
    {"overflow", cpp_block("#include <cstdio>\nint main() { int n, x; unsigned char s = 0; scanf(\"%d\", &n);\n"
                           "  while (n-- && scanf(\"%d\", &x) == 1) s += x;\n  printf(\"%d\\n\", s); }"), sum_gold, 0,
     "wrong_answer: test 2"},
    {"does not compile", cpp_block("int main() { return x; }"), sum_gold, 0, "compile_error: "},
    {"crash", cpp_block("int main() { volatile int* p = nullptr; return *p; }"), sum_gold, 0, "runtime_error: test 1"},
  });
}

TEST_CASE("partial pays the share of tests that pass", "[code_stdio]") {
  auto partial = make("code_stdio", {{"partial", "true"}});
  if (!sandbox_stands(*partial)) return;
  const auto got = score_one(*partial, item(python_block("n = int(input())\nprint(6 if n == 3 else -5)"), sum_gold));
  CHECK(got.value == 2.0 / 3.0);
  CHECK(got.detail == "wrong_answer: test 3, 2 of 3 right");
}

TEST_CASE("each input is a fresh run: nothing that a program leaves behind is seen by the next", "[code_stdio]") {
  auto& reward = stdio_reward();
  if (!sandbox_stands(reward)) return;
  const auto gold = stdio({"1\n", "2\n", "3\n"}, {"0\n", "0\n", "0\n"});
  check_cases(reward, {{"files in the work folder, in /tmp and in /dev/shm", python_block(R"(
import os
paths = ["left", "/tmp/left", "/dev/shm/left"]
print(sum(os.path.exists(path) for path in paths))
for path in paths:
    try: open(path, "w").close()
    except OSError: pass)"), gold, 1, "ok"}});
}

TEST_CASE("the expected output must be whole and alone, and is nowhere to be read", "[code_stdio][attack]") {
  auto& reward = stdio_reward();
  if (!sandbox_stands(reward)) return;
  const auto three = stdio({"go\n"}, {"alpha\nbeta\ngamma\n"});
  const auto one = stdio({"1\n"}, {"42\n"});
  const auto real = stdio({"1\n"}, {"0.5\n"}, "float:1e-6");
  const std::string bytes = "import sys\nsys.stdout.buffer.write";
  const std::string all = "print('alpha'); print('beta'); print('gamma')";
  check_cases(reward, {
    {"whole", python_block(all), three, 1, "ok"},
    {"only a prefix", python_block("print('alpha')"), three, 0, "wrong_answer: test 1"},
    {"another order", python_block("print('alpha'); print('gamma'); print('beta')"), three, 0, "wrong_answer"},
    {"extra trailing text", python_block(all + "; print('delta')"), three, 0, "wrong_answer"},
    {"both guesses", python_block("print(41); print(42)"), one, 0, "wrong_answer"},
    {"ends at once", python_block("import sys; sys.exit(0)"), one, 0, "wrong_answer"},
    {"_exit", python_block("import os; os._exit(0)"), one, 0, "wrong_answer"},
    {"right on stderr", python_block("import sys; print(42, file=sys.stderr)"), one, 0, "wrong_answer"},
    {"right, then without end", python_block("print(42, flush=True)\nwhile True: pass"), one, 0, "timeout_cpu: test 1"},
    {"right, then killed", python_block("import os\nprint(42, flush=True)\nos.kill(os.getpid(), 9)"), one, 0, "runtime_error"},
    {"nan", python_block("print(float('nan'))"), real, 0, "wrong_answer"},
    {"infinity", python_block("print(1e999)"), real, 0, "wrong_answer"},
    {"a very long number", python_block("print('0.' + '5' * 500000)"), real, 0, "wrong_answer"},
    {"digits of another script", python_block(bytes + "('\\u0664\\u0662'.encode())"), one, 0, "wrong_answer"},
    {"bytes that are no text", python_block(bytes + "(b'42\\xff\\n')"), one, 0, "wrong_answer"},
    {"a byte of zero", python_block("print('42\\0')"), one, 0, "wrong_answer"},
    {"a carriage return over a guess", python_block("print('41\\r42')"), one, 0, "wrong_answer"},
    {"looks for the answer", python_block(R"(
import os, sys
secret = "".join(["swordfish", "-42"])
text = " ".join(sys.argv) + str(dict(os.environ))
for top in (".", "..", "/tmp", "/work", "/proc/self", "/proc/1"):
    try: names = os.listdir(top)
    except OSError: continue
    for name in names:
        if name in ("main.py", "kmsg", "pagemap", "clear_refs", "mem"): continue
        try: text += open(os.path.join(top, name), errors="replace").read(1 << 20)
        except (OSError, ValueError): pass
print(secret if secret in text else "nothing"))"), stdio({"1\n"}, {"swordfish-42\n"}), 0, "wrong_answer"},
  });
}

TEST_CASE("C++ tricks: host files, early exits, redefinitions, bombs for the compiler", "[code_stdio][attack]") {
  auto& reward = stdio_reward();
  if (!sandbox_stands(reward)) return;
  const auto one = stdio({"1\n"}, {"42\n"});
  check_cases(reward, {
    {"a file of the host", cpp_block("const char* s =\n#include \"/etc/shadow\"\n;\nint main() {}"), one, 0, "compile_error"},
    {"an endless file", cpp_block("#include \"/dev/zero\"\nint main() {}"), one, 0, "compile_error"},
    {"itself", cpp_block("#include __FILE__\nint main() {}"), one, 0, "compile_error"},
    {"exit before main", cpp_block("#include <unistd.h>\nstruct A { A() { _exit(0); } } a;\nint main() {}"), one, 0,
     "wrong_answer"},
    {"another main", cpp_block("#define main hidden\nint main() { return 0; }"), one, 0, "compile_error"},
    {"a system call of its own", cpp_block("int main() { asm volatile(\"mov $231, %eax; xor %edi, %edi; syscall\"); }"), one, 0,
     "wrong_answer"},
    {"a large initialiser", cpp_block("int a[1 << 28] = {1};\nint main() {}"), one, 0, ""},
  });
}

TEST_CASE("a gold that is not one gives no value", "[code_stdio]") {
  auto& reward = stdio_reward();
  CHECK(score_one(reward, item(python_block("print(1)"), "42")).status == Status::not_applicable);
  CHECK_FALSE(reward.check_answer(R"({"inputs": ["1"]})").empty());
  CHECK(reward.check_answer(sum_gold).empty());
}
