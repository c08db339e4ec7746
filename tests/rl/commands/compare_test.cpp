#include "rl/commands/commands.h"
#include "rl/metrics.h"
#include "tests/rl/commands/folders.h"
#include "tests/support/catch.h"

namespace {

// Metrics of so many steps.
std::string run_of(const testing::Folder& folder, const std::string& name, int64_t steps, double last = 0.5) {
  std::string lines;
  for (int64_t step = 1; step <= steps; ++step) lines += rl::metrics_line("grpo", step, {{"reward", step == steps ? last : 0.5}}) + "\n";
  folder.put(name + "/metrics.jsonl", lines);
  folder.put(name + "/config.toml", "");
  return folder / name;
}

}  // namespace

TEST_CASE("runs are equal only when they have the same steps", "[compare]") {
  const testing::Folder folder;
  const std::string whole = run_of(folder, "whole", 20);
  CHECK(rl::run_compare(whole, run_of(folder, "same", 20)) == 0);
  CHECK(rl::run_compare(whole, run_of(folder, "short", 3)) == 1);
  CHECK(rl::run_compare(run_of(folder, "short", 3), whole) == 1);
  CHECK(rl::run_compare(whole, run_of(folder, "other", 20, 0.25)) == 1);
}
