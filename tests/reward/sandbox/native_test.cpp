// The same attacks without an interpreter, and attacks on the compiler.
#include <signal.h>

#include <fstream>
#include <sstream>

#include "tests/reward/sandbox/support.h"
#include "tests/support/catch.h"
#include "tests/support/source_dir.h"

using namespace reward::sandbox;
using namespace testing;

namespace {

constexpr auto ok = Verdict::ok, cpu = Verdict::timeout_cpu, wall = Verdict::timeout_wall, memory = Verdict::memory,
               output = Verdict::output_limit, pids = Verdict::pids, file = Verdict::file_limit, error = Verdict::runtime_error;

Attack compile(const std::string& name, const std::string& program, const std::vector<Verdict>& verdicts) {
  Attack attack{name, {}, verdicts};
  attack.job.runtime = Job::Runtime::compile_cpp;
  attack.job.files = {{"main.cpp", program}};
  attack.job.limits = small_limits();
  attack.job.limits.cpu_seconds = 2;
  attack.job.limits.wall_seconds = 4;
  return attack;
}

}  // namespace

#if defined(__x86_64__)
TEST_CASE("native programs meet the same walls", "[sandbox]") {
  if (sandbox() == nullptr) return;
  std::ifstream source(source_dir() + "/tests/reward/sandbox/attacks.cpp");
  std::stringstream text;
  text << source.rdbuf();
  const Job job = native(text.str());
  const auto attack = [&](const char* name, std::vector<Verdict> verdicts, const char* prints = "") {
    Attack one{name, job, std::move(verdicts), prints};
    one.job.arguments = {name};
    if (one.verdicts[0] == wall) one.job.limits.wall_seconds = 1;
    return one;
  };
  check_attacks({
      attack("loop", {cpu, wall}),
      attack("fork_bomb", {pids, cpu, wall}),
      attack("thread_bomb", {pids}),
      attack("heap", {memory}),
      attack("stack", {error}),
      attack("shared_map", {memory}),
      attack("system_v", {ok}, "Operation not permitted\n"),
      attack("abort", {error}),
      attack("divide", {error}),
      attack("big_file", {file}),
      attack("raw_ptrace", {ok}, "Operation not permitted\n"),
      attack("raw_socket", {ok}, "Operation not permitted\n"),
      attack("raw_open", {ok}, "No such file or directory\n"),
      attack("x32", {error}),
      attack("int80", {error}),
      attack("ignores", {wall}),
      attack("output", {output}),
      attack("exit_0_with_child", {ok}, "first\n"),
  });
}
#endif

TEST_CASE("attacks on the compiler end by limits", "[sandbox]") {
  if (sandbox() == nullptr) return;
  check_attacks({
      compile("endless file", "#include \"/dev/zero\"\n", {memory, error, cpu, wall, output}),
      compile("endless random", "#include \"/dev/urandom\"\n", {memory, error, cpu, wall, output}),
      compile("host file", "#include \"/etc/passwd\"\nint main() {}\n", {error}),
      compile("file of the checkout", "#include \"" + source_dir() + "/reward/reward.h\"\nint main() {}\n", {error}),
      compile("template bomb", "template <class A, class B> struct P {};\n"
          "template <int N, class T> struct F { using t = typename F<N - 1, P<T, T>>::t; };\n"
              "template <class T> struct F<0, T> { using t = T; };\nF<60, int>::t x;\nint main() { x.missing(); }\n", {memory,
                  cpu, wall, output, error}),
      compile("huge array", "char a[1 << 30] = {1};\nint main() {}\n", {file, memory, error, cpu, wall}),
      compile("includes itself", "#include \"main.cpp\"\n", {error, memory, cpu, wall, output}),
      compile("macro bomb", "#define A B B B B B B B B\n#define B C C C C C C C C\n#define C D D D D D D D D\n"
          "#define D E E E E E E E E\n"
              "#define E F F F F F F F F\n#define F G G G G G G G G\n#define G H H H H H H H H\n#define H 1+1+1+1+1+1+\n"
                  "int x = A A A A 0;\nint main() {}\n", {memory, cpu, wall}),
      compile("many errors", "#define A x; x; x; x; x; x; x; x; x; x;\n#define B A A A A A A A A A A\n"
          "#define C B B B B B B B B B B\nint main() { C C C }\n", {error, output, cpu, wall}),
  });
}
