// `ponder rewards` and `ponder devices`.
#include <fmt/core.h>

#include <fstream>

#include "kernels/thread_pool.h"
#include "reward/reward.h"
#include "rl/commands.h"
#include "rl/memory_plan.h"

namespace rl {
namespace {

std::string processor_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    const size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown processor";
}

}  // namespace

int run_rewards() {
  fmt::print("{}", reward::describe_builtins());
  return 0;
}

int run_devices() {
  fmt::print("cpu     {}, {} threads\nmemory  {} MB\n", processor_name(), kernels::threads(),
             machine_memory_bytes() / (1024 * 1024));
  fmt::print("cuda    not in this build\n");
  return 0;
}

}  // namespace rl
