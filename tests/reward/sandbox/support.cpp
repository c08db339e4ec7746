#include "tests/reward/sandbox/support.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <thread>

#include "reward/reward.h"
#include "tests/support/catch.h"

namespace testing {

using namespace reward::sandbox;
namespace fs = std::filesystem;

namespace {

// Without cgroups a program that hits a limit gets an error from the kernel, and what it makes of it is its own.
bool limits_are_counted() {
  static const bool counted = [] {
    int found = 0;
    for (const auto& wall : probe_walls()) found += wall.stands && (wall.name == "cgroup memory" || wall.name == "cgroup pids");
    return found == 2;
  }();
  return counted;
}

bool is_expected(Verdict verdict, const std::vector<Verdict>& expected) {
  const auto has = [&](Verdict one) { return std::find(expected.begin(), expected.end(), one) != expected.end(); };
  if (has(verdict)) return true;
  return !limits_are_counted() && verdict == Verdict::runtime_error && (has(Verdict::memory) || has(Verdict::pids));
}

}  // namespace

Sandbox* sandbox() {
  static const std::unique_ptr<Sandbox> shared = []() -> std::unique_ptr<Sandbox> {
    try {
      return std::make_unique<Sandbox>(4);
    } catch (const reward::Error& error) {
      fmt::print(stderr, "Programs are not run in these tests. {}\n", error.what());
      return nullptr;
    }
  }();
  return shared.get();
}

Limits small_limits() {
  Limits limits;
  limits.wall_seconds = 2;
  limits.cpu_seconds = 0.5;
  limits.memory_mb = 96;
  limits.processes = 10;
  limits.work_folder_mb = 8;
  limits.files = 40;
  limits.output_bytes = 1 << 16;
  return limits;
}

Job python(const std::string& program) {
  Job job;
  job.files = {{"main.py", program}};
  job.limits = small_limits();
  return job;
}

Result run_python(const std::string& program) { return sandbox()->run(python(program)); }

Job native(const std::string& program, const std::vector<std::string>& arguments) {
  static std::map<std::string, std::string> compiled;
  auto& binary = compiled[program];
  if (binary.empty()) {
    Job compile;
    compile.runtime = Job::Runtime::compile_cpp;
    compile.files = {{"main.cpp", program}};
    compile.arguments = {"-O1"};
    compile.limits.wall_seconds = compile.limits.cpu_seconds = 60;
    Result result = sandbox()->run(compile);
    INFO(result.errors << result.detail);
    REQUIRE(result.verdict == Verdict::ok);
    REQUIRE(!result.program.empty());
    binary = std::move(result.program);
  }
  Job job;
  job.runtime = Job::Runtime::native;
  job.files = {{"program", binary}};
  job.arguments = arguments;
  job.limits = small_limits();
  return job;
}

void check_attacks(const std::vector<Attack>& attacks) {
  std::vector<Result> results(attacks.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < attacks.size(); ++i) {
    threads.emplace_back([&, i] { results[i] = sandbox()->run(attacks[i].job); });
  }
  for (auto& thread : threads) thread.join();
  for (size_t i = 0; i < attacks.size(); ++i) {
    const auto& attack = attacks[i];
    const auto& result = results[i];
    INFO(attack.name << ": " << name_of(result.verdict) << ", exit code " << result.exit_code << ", signal " << result.signal
                     << "\nstdout: " << result.output.substr(0, 500) << "\nstderr: " << result.errors.substr(0, 2000)
                     << result.detail);
    CHECK(is_expected(result.verdict, attack.verdicts));
    if (!attack.output.empty()) CHECK(result.output == attack.output);
    CHECK(result.wall_seconds < attack.job.limits.wall_seconds + 2);
  }
  const Result after = run_python("print('well')");
  INFO(after.errors << after.detail);
  CHECK(after.verdict == Verdict::ok);
  CHECK(after.output == "well\n");
}

namespace {

struct Stat {
  char state = '\0';  // 0: there is no such process
  int parent = 0;
};

Stat stat_of(int process) {
  std::ifstream file(fmt::format("/proc/{}/stat", process));
  std::stringstream text;
  text << file.rdbuf();
  const std::string stat = text.str();
  Stat found;
  if (const size_t name_end = stat.rfind(')'); name_end != std::string::npos) {
    std::istringstream(stat.substr(name_end + 1)) >> found.state >> found.parent;
  }
  return found;
}

}  // namespace

bool all_gone(const std::vector<int>& processes) {
  return std::all_of(processes.begin(), processes.end(), [](int process) {
    const char state = stat_of(process).state;
    return state == '\0' || state == 'Z';  // ended, and its new parent is slow to look
  });
}

std::vector<int> descendants(int ancestor) {
  std::multimap<int, int> children;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const int process = std::stoi(name);
    children.emplace(stat_of(process).parent, process);
  }
  std::vector<int> found, open = {ancestor};
  while (!open.empty()) {
    const auto [first, last] = children.equal_range(open.back());
    open.pop_back();
    for (auto child = first; child != last; ++child) {
      found.push_back(child->second);
      open.push_back(child->second);
    }
  }
  return found;
}

std::vector<std::string> cgroups_of(const std::vector<int>& launchers) {
  std::vector<std::string> found;
  std::error_code error;
  fs::recursive_directory_iterator folder("/sys/fs/cgroup", fs::directory_options::skip_permission_denied, error);
  for (; !error && folder != fs::recursive_directory_iterator(); folder.increment(error)) {
    const std::string name = folder->path().filename();
    for (const int launcher : launchers) {
      if (name.rfind(fmt::format("ponder-sandbox-{}-", launcher), 0) == 0) found.push_back(folder->path());
    }
  }
  return found;
}

bool soon(bool (*holds)(const std::vector<int>&), const std::vector<int>& argument) {
  for (int i = 0; i < 500; ++i) {
    if (holds(argument)) return true;
    usleep(20000);
  }
  return false;
}

}  // namespace testing
