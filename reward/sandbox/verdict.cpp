#include "reward/sandbox/verdict.h"

#include <signal.h>
#include <sys/wait.h>

#include <string_view>
#include <utility>

namespace reward::sandbox {
namespace {

std::string_view last_line(std::string_view text) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  const size_t newline = text.rfind('\n');
  return newline == std::string_view::npos ? text : text.substr(newline + 1);
}

// What Python, the C++ library and compilers say last when a limit stopped them. Without cgroups it is the only trace.
Verdict named_limit(std::string_view errors) {
  static constexpr std::pair<std::string_view, Verdict> traces[] = {
      {"MemoryError", Verdict::memory},         {"bad_alloc", Verdict::memory},
      {"out of memory", Verdict::memory},       {"Cannot allocate memory", Verdict::memory},
      {"can't start new thread", Verdict::pids}, {"Resource temporarily unavailable", Verdict::pids},
      {"[Errno 24]", Verdict::file_limit},      {"[Errno 27]", Verdict::file_limit},
      {"[Errno 28]", Verdict::file_limit},      {"No space left on device", Verdict::file_limit},
  };
  const std::string_view line = last_line(errors);
  for (const auto& [trace, verdict] : traces) {
    if (line.find(trace) != std::string_view::npos) return verdict;
  }
  return Verdict::runtime_error;
}

}  // namespace

const char* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok: return "ok";
    case Verdict::runtime_error: return "runtime_error";
    case Verdict::timeout_wall: return "timeout_wall";
    case Verdict::timeout_cpu: return "timeout_cpu";
    case Verdict::memory: return "memory";
    case Verdict::output_limit: return "output_limit";
    case Verdict::pids: return "pids";
    case Verdict::file_limit: return "file_limit";
    case Verdict::sandbox_error: return "sandbox_error";
  }
  return "unknown";
}

Verdict decide(const Facts& facts, const Limits& limits) {
  if (!facts.error.empty()) return Verdict::sandbox_error;
  if (facts.oom_kills > 0) return Verdict::memory;
  switch (facts.stop) {
    case Facts::Stop::output: return Verdict::output_limit;
    case Facts::Stop::cpu: return Verdict::timeout_cpu;
    case Facts::Stop::wall: return Verdict::timeout_wall;
    case Facts::Stop::itself: break;
  }
  const int signal = facts.ended && WIFSIGNALED(facts.wait_status) ? WTERMSIG(facts.wait_status) : 0;
  if (signal == SIGXCPU || facts.cpu_seconds > limits.cpu_seconds) return Verdict::timeout_cpu;
  if (facts.ended && WIFEXITED(facts.wait_status) && WEXITSTATUS(facts.wait_status) == 0) return Verdict::ok;
  if (signal == SIGXFSZ) return Verdict::file_limit;
  if (facts.refused_forks > 0) return Verdict::pids;
  if (facts.folder_full) return Verdict::file_limit;
  return named_limit(facts.errors);
}

Result to_result(Facts facts, const Limits& limits) {
  Result result;
  result.verdict = decide(facts, limits);
  if (facts.ended && WIFEXITED(facts.wait_status)) result.exit_code = WEXITSTATUS(facts.wait_status);
  // A program whose end was not seen was killed with all its processes.
  else result.signal = facts.ended ? WTERMSIG(facts.wait_status) : facts.error.empty() ? SIGKILL : 0;
  result.output = std::move(facts.output);
  result.errors = std::move(facts.errors);
  result.channel = std::move(facts.channel);
  result.program = std::move(facts.program);
  result.wall_seconds = facts.wall_seconds;
  result.cpu_seconds = facts.cpu_seconds;
  result.detail = std::move(facts.error);
  return result;
}

}  // namespace reward::sandbox
