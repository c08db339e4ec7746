// Python tests a second: behind the walls, through the interpreter that is forked, against a plain `python3 file.py` for each
// test, which has no walls at all. Both take turns in one run, so that a busy machine hurts both.
//
//   sandbox_bench [--tests 200] [--threads 1,2]
#include <fcntl.h>
#include <fmt/core.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <thread>

#include "reward/sandbox/sandbox.h"
#include "tests/bench/bench.h"

namespace {

namespace sandbox = reward::sandbox;

// The size of a HumanEval problem: a function, a few checks, an import from the standard library.
constexpr const char* program =
    "from typing import List\n"
    "import math\n\n"
    "def has_close_elements(numbers: List[float], threshold: float) -> bool:\n"
    "    ordered = sorted(numbers)\n"
    "    return any(b - a < threshold for a, b in zip(ordered, ordered[1:]))\n\n"
    "def check(candidate):\n"
    "    assert candidate([1.0, 2.0, 3.9, 4.0, 5.0, 2.2], 0.3) == True\n"
    "    assert candidate([1.0, 2.0, 3.9, 4.0, 5.0, 2.2], 0.05) == False\n"
    "    assert candidate([1.0, 2.0, 5.9, 4.0, 5.0], 0.95) == True\n"
    "    assert candidate([1.1, 2.2, 3.1, 4.1, 5.1], 0.5) == False\n\n"
    "check(has_close_elements)\n"
    "print('passed', math.isqrt(10**6))\n";
constexpr const char* expected = "passed 1000\n";

std::string plain(const std::string& file) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) bench::wrong("no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  std::string name = "python3", path = file;
  char* words[] = {name.data(), path.data(), nullptr};
  pid_t child = -1;
  if (posix_spawn(&child, "/usr/bin/python3", &actions, nullptr, words, environ) != 0) bench::wrong("no /usr/bin/python3");
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::string output;
  char buffer[4096];
  for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;) output.append(buffer, static_cast<size_t>(n));
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return output;
}

// Milliseconds of each of `tests` calls, over `threads` threads, and their wall clock together.
struct Run {
  std::vector<double> each;
  double seconds = 0;
};

void run(int64_t tests, int64_t threads, const std::function<std::string()>& one, Run& into) {
  std::mutex mutex;
  std::vector<std::thread> workers;
  const double start = bench::now();
  for (int64_t t = 0; t < threads; ++t) {
    workers.emplace_back([&] {
      for (int64_t i = 0; i < tests / threads; ++i) {
        const double before = bench::now();
        if (one() != expected) bench::wrong("a test printed something else");
        const double took = bench::now() - before;
        const std::lock_guard lock(mutex);
        into.each.push_back(1000 * took);
      }
    });
  }
  for (auto& worker : workers) worker.join();
  into.seconds += bench::now() - start;
}

void compare(int64_t tests, int64_t threads, const std::string& file) {
  sandbox::Sandbox runner(threads);
  sandbox::Job job;
  job.files = {{"main.py", program}};
  const auto walled = [&] { return runner.run(job).output; };
  const auto bare = [&] { return plain(file); };
  Run behind, without, warm;
  run(4 * threads, threads, walled, warm);
  run(4 * threads, threads, bare, warm);
  constexpr int64_t turns = 10;
  for (int64_t turn = 0; turn < turns; ++turn) {
    run(tests / turns, threads, walled, behind);
    run(tests / turns, threads, bare, without);
  }
  const auto rate = [](const Run& one) { return static_cast<double>(one.each.size()) / one.seconds; };
  const auto row = [&](const char* name, const Run& one) {
    const auto spread = bench::spread(one.each);
    fmt::print("{:>7}  {:<28} {:>9.2f} {:>9.2f} {:>9.2f} {:>9.0f} {:>8.2f}x\n", threads, name, spread.min, spread.median,
               spread.max, rate(one), rate(one) / rate(without));
  };
  row("sandbox, every wall", behind);
  row("python3 file.py, no wall", without);
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv, {"tests=", "threads="});
  const int64_t tests = arguments.numbers("tests", {200})[0];
  const std::string folder = std::filesystem::temp_directory_path();
  const std::string file = fmt::format("{}/ponder-sandbox-bench-{}.py", folder, getpid());
  std::ofstream(file) << program;
  fmt::print("threads  how                             ms min    median       max   tests/s    ratio\n");
  for (const int64_t threads : arguments.numbers("threads", {1, 2})) compare(tests, threads, file);
  std::filesystem::remove(file);
}
