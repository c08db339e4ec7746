// `ponder reward list` and `ponder devices`.
#include <fmt/core.h>

#include "kernels/cuda_device.h"
#include "reward/reward.h"
#include "rl/commands/commands.h"
#include "rl/commands/machine.h"
#include "rl/memory_plan.h"

namespace rl {

int run_reward_list() {
  fmt::print("{}", reward::describe_builtins());
  return 0;
}

int run_devices() {
  fmt::print("cpu     {}\nmemory  {} MB\n", machine_line(), machine_memory_bytes() / (1024 * 1024));
  std::string reason;
  const auto devices = kernels::cuda_devices(&reason);
  if (devices.empty()) fmt::print("cuda    none: {}\n", reason);
  for (const auto& d : devices) fmt::print("cuda    {}, compute {}.{}, {} MB\n", d.name, d.major, d.minor, d.memory_bytes / (1024 * 1024));
  return 0;
}

}  // namespace rl
