#include <fmt/core.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "reward/reward.h"
#include "rl/commands/commands.h"

namespace rl {
namespace {

namespace sandbox = reward::sandbox;

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  if (!file || std::filesystem::is_directory(path))
    throw reward::Error(fmt::format("sandbox: {} cannot be read. Check the path.", path));
  return text.str();
}

// One line about a run, for people; on stderr, so that stdout is the program's.
void print_end(const sandbox::Result& result) {
  const std::string how =
      result.signal != 0 ? fmt::format("signal {}", result.signal) : fmt::format("exit code {}", result.exit_code);
  fmt::print(stderr, "{}: {}, {:.1f} ms of wall clock, {:.1f} ms of processor time\n", name_of(result.verdict),
             result.detail.empty() ? how : result.detail, 1000 * result.wall_seconds, 1000 * result.cpu_seconds);
}

sandbox::Job make_job(const SandboxOptions& options, sandbox::Sandbox& runner) {
  sandbox::Job job;
  job.limits = options.limits;
  job.arguments = options.arguments;
  if (!options.input.empty()) job.input = read_file(options.input);
  const std::string text = read_file(options.file);
  if (options.file.ends_with(".py")) {
    job.files = {{"main.py", text}};
    return job;
  }
  if (!options.file.ends_with(".cpp") && !options.file.ends_with(".cc")) {
    throw reward::Error(fmt::format("sandbox: {} is neither Python (.py) nor C++ (.cpp, .cc)", options.file));
  }
  sandbox::Job compile;
  compile.runtime = sandbox::Job::Runtime::compile_cpp;
  compile.files = {{"main.cpp", text}};
  compile.arguments = {"-O2"};
  compile.limits.wall_seconds = compile.limits.cpu_seconds = 60;
  compile.limits.memory_mb = 1024;
  sandbox::Result compiled = runner.run(compile);
  fmt::print(stderr, "{}", compiled.errors);
  if (compiled.verdict != sandbox::Verdict::ok) {
    fmt::print(stderr, "compiling: ");
    print_end(compiled);
    return {};
  }
  job.runtime = sandbox::Job::Runtime::native;
  job.files = {{"program", std::move(compiled.program)}};
  return job;
}

}  // namespace

int run_sandbox(const SandboxOptions& options) {
  if (options.probe || options.file.empty()) {
    const auto walls = sandbox::probe_walls();
    fmt::print("{}", sandbox::describe_walls(walls));
    sandbox::require_walls(walls, options.allow_missing);
    return 0;
  }
  sandbox::Sandbox runner(1, options.allow_missing);
  const sandbox::Job job = make_job(options, runner);
  if (job.files.empty()) return 1;
  const sandbox::Result result = runner.run(job);
  fmt::print("{}", result.output);
  std::fflush(stdout);
  fmt::print(stderr, "{}", result.errors);
  print_end(result);
  return result.verdict == sandbox::Verdict::ok ? 0 : 1;
}

}  // namespace rl
