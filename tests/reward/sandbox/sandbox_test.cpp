#include "reward/sandbox/sandbox.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <thread>

#include "reward/reward.h"
#include "tests/reward/sandbox/support.h"
#include "tests/support/catch.h"

using namespace reward::sandbox;
using namespace testing;
using Catch::Matchers::Contains;

TEST_CASE("a Python program gets its input, arguments and files, and nothing else", "[sandbox]") {
  if (sandbox() == nullptr) return;
  Job job = python(
      "import sys, os, helper\n"
      "print(sys.stdin.read().upper(), sys.argv[1:], helper.value, __name__)\n"
      "print(sorted(os.listdir('.')), os.getcwd(), dict(os.environ))\n"
      "print('to stderr', file=sys.stderr)\n");
  job.files.emplace_back("helper.py", "value = 42\n");
  job.input = "two\nlines\n";
  job.arguments = {"a b", "\xc3\xa4"};
  const Result result = sandbox()->run(job);
  INFO(result.errors << result.detail);
  REQUIRE(result.verdict == Verdict::ok);
  REQUIRE(result.exit_code == 0);
  REQUIRE(result.output == "TWO\nLINES\n ['a b', '\xc3\xa4'] 42 __main__\n['helper.py', 'main.py'] /work {}\n");
  REQUIRE(result.errors == "to stderr\n");
  REQUIRE(result.channel.empty());
  REQUIRE(result.wall_seconds > 0);
}

TEST_CASE("descriptor 3 is the result channel where the job has one", "[sandbox]") {
  if (sandbox() == nullptr) return;
  Job job = python("import os\nos.write(3, b'{\"value\": 1}')\nprint('seen')\n");
  job.result_channel = true;
  const Result with = sandbox()->run(job);
  REQUIRE(with.verdict == Verdict::ok);
  REQUIRE(with.channel == "{\"value\": 1}");
  REQUIRE(with.output == "seen\n");
  job.result_channel = false;
  const Result without = sandbox()->run(job);
  REQUIRE(without.verdict == Verdict::runtime_error);
  REQUIRE_THAT(without.errors, Contains("Bad file descriptor"));
}

TEST_CASE("Python ends as it would outside", "[sandbox]") {
  if (sandbox() == nullptr) return;
  struct Case {
    const char *program;
    int exit_code;
    const char *output, *errors;
  };
  const Case cases[] = {
      {"print(1); raise SystemExit", 0, "1\n", ""},
      {"import sys; sys.exit(3)", 3, "", ""},
      {"exit('a reason')", 1, "", "a reason\n"},
      {"import os; print(1); os._exit(4)", 4, "", ""},  // not flushed, as outside
      {"1/0", 1, "", "ZeroDivisionError: division by zero\n"},
      {"def f(:", 1, "", "SyntaxError"},
      {"import atexit; atexit.register(print, 'bye'); print('hi')", 0, "hi\nbye\n", ""},
      {"import threading as t, time\nt.Thread(target=lambda: (time.sleep(.05), print('late'))).start()", 0, "late\n", ""},
      {"import asyncio\nasync def f(): print('async')\nasyncio.run(f())", 0, "async\n", ""},
      {"import subprocess\nprint(subprocess.run(['echo', 'a'], capture_output=True).stdout)", 0, "b'a\\n'\n", ""},
      {"import tempfile\nwith tempfile.TemporaryFile() as f: print(f.write(b'abc'))", 0, "3\n", ""},
      {"f = open(1, 'w', closefd=False); f.write('left open')", 0, "left open", ""},
      {"class A:\n  def __del__(self): print('deleted')\na = A()", 0, "deleted\n", ""},
      {"import sys\nsys.stdout.close()", 0, "", ""},
      {"import sys, io\nsys.stdout = io.TextIOWrapper(sys.stdout.buffer, line_buffering=False)\nprint('wrapped')", 0, "wrapped\n", ""},
      {"print('\xc3\xa4\xe2\x82\xac')", 0, "\xc3\xa4\xe2\x82\xac\n", ""},
      {"import pickle, __main__\nclass A: pass\nprint(type(pickle.loads(pickle.dumps(A()))).__name__, __main__.A is A)", 0,
          "A True\n", ""},
      {"def f(n): return f(n + 1)\nf(0)", 1, "", "RecursionError"},
  };
  for (const auto& one : cases) {
    const Result result = run_python(one.program);
    INFO(one.program << "\n" << name_of(result.verdict) << " " << result.output << result.errors << result.detail);
    CHECK(result.verdict == (one.exit_code == 0 ? Verdict::ok : Verdict::runtime_error));
    CHECK(result.exit_code == one.exit_code);
    CHECK(result.output == one.output);
    CHECK_THAT(result.errors, Contains(one.errors));
    CHECK_THAT(result.errors, !Contains("<string>"));  // no line of the zygote in a traceback
  }
}

TEST_CASE("C++ is compiled behind the walls and the binary runs behind them", "[sandbox]") {
  if (sandbox() == nullptr) return;
  Job job = native(
      "#include <iostream>\n"
          "int main(int argc, char** argv) { int a, b; std::cin >> a >> b; std::cout << a + b << ' ' << argv[1] << '\\n';"
      " return argc; }",
      {"x"});
  job.input = "3 4\n";
  const Result result = sandbox()->run(job);
  REQUIRE(result.output == "7 x\n");
  REQUIRE(result.exit_code == 2);
  REQUIRE(result.verdict == Verdict::runtime_error);
}

TEST_CASE("C++ that does not compile is a runtime_error with the compiler's words", "[sandbox]") {
  if (sandbox() == nullptr) return;
  Job job;
  job.runtime = Job::Runtime::compile_cpp;
  job.files = {{"main.cpp", "int main() { return missing; }"}};
  job.limits.wall_seconds = job.limits.cpu_seconds = 30;
  const Result result = sandbox()->run(job);
  REQUIRE(result.verdict == Verdict::runtime_error);
  REQUIRE_THAT(result.errors, Contains("missing"));
  REQUIRE(result.program.empty());
}

TEST_CASE("what is no program for the processor is a runtime_error", "[sandbox]") {
  if (sandbox() == nullptr) return;
  Job job;
  job.runtime = Job::Runtime::native;
  job.files = {{"program", "\x7f" "ELF, but no more"}};
  const Result result = sandbox()->run(job);
  REQUIRE(result.verdict == Verdict::runtime_error);
}

TEST_CASE("a job that its caller got wrong throws", "[sandbox]") {
  if (sandbox() == nullptr) return;
  Job job;
  REQUIRE_THROWS_WITH(sandbox()->run(job), Contains("main.py"));
  job = python("");
  job.files.emplace_back("../x", "");
  REQUIRE_THROWS_WITH(sandbox()->run(job), Contains("\"../x\" is no file name"));
  job = python("");
  job.limits.memory_mb = 0;
  REQUIRE_THROWS_WITH(sandbox()->run(job), Contains("memory_mb is 0"));
}

TEST_CASE("files that do not fit the work folder are a sandbox_error that says so", "[sandbox]") {
  if (sandbox() == nullptr) return;
  Job job = python("print(1)");
  job.files.emplace_back("big", std::string(9 << 20, 'x'));
  const Result result = sandbox()->run(job);
  REQUIRE(result.verdict == Verdict::sandbox_error);
  REQUIRE_THAT(result.detail, Contains("work_folder_mb"));
}

TEST_CASE("many threads run programs at once and each gets its own answer", "[sandbox]") {
  if (sandbox() == nullptr) return;
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&right, t] {
      for (int i = 0; i < 6; ++i) {
        const std::string text = std::to_string(100 * t + i);
        if (run_python("print(" + text + ")").output == text + "\n") ++right;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  REQUIRE(right == 48);
}

TEST_CASE("a sandbox leaves no process, no cgroup and no mount behind", "[sandbox]") {
  if (sandbox() == nullptr) return;
  const auto mounts = [] {
    std::ifstream file("/proc/self/mounts");
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  };
  const std::string mounts_before = mounts();
  const auto before = descendants(getpid());
  std::vector<int> launchers;
  {
    Sandbox own(2);
    own.run(python("import os\nos.fork()\nprint(1)"));
    for (const int process : descendants(getpid())) {
      if (std::find(before.begin(), before.end(), process) == before.end()) launchers.push_back(process);
    }
    REQUIRE(!launchers.empty());
  }
  REQUIRE(descendants(getpid()) == before);
  REQUIRE(cgroups_of(launchers).empty());
  REQUIRE(mounts() == mounts_before);
}

namespace {

bool several_below(const std::vector<int>& process) { return descendants(process[0]).size() >= 4; }

}  // namespace

TEST_CASE("when the trainer is killed with SIGKILL its programs and cgroups go with it", "[sandbox]") {
  if (sandbox() == nullptr) return;
  const pid_t trainer = fork();
  if (trainer == 0) {
    Sandbox own(1);
    Job job = python("import os, signal, time\nos.setsid\nfor s in range(1, 32):\n  try: signal.signal(s, signal.SIG_IGN)\n"
        "  except OSError: pass\n"
                     "if os.fork() == 0: os.setsid()\ntime.sleep(60)");
    job.limits.wall_seconds = 60;
    own.run(job);
    _exit(0);
  }
  REQUIRE(soon(several_below, {trainer}));  // launcher, room, process 1, the program and its child
  const auto processes = descendants(trainer);
  kill(trainer, SIGKILL);
  waitpid(trainer, nullptr, 0);
  REQUIRE(soon(all_gone, processes));
  REQUIRE(soon([](const std::vector<int>& launchers) { return cgroups_of(launchers).empty(); }, processes));
}

TEST_CASE("a launcher that is killed is a retry, not a score", "[sandbox]") {
  if (sandbox() == nullptr) return;
  const auto before = descendants(getpid());
  Sandbox own(1);
  REQUIRE(own.run(python("print(1)")).output == "1\n");
  for (const int process : descendants(getpid())) {
    if (std::find(before.begin(), before.end(), process) == before.end()) kill(process, SIGKILL);
  }
  const Result result = own.run(python("print(2)"));
  INFO(result.detail);
  REQUIRE(result.verdict == Verdict::ok);
  REQUIRE(result.output == "2\n");
}
