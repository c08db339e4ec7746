// `ponder upcycle`: a mixture of experts made of a dense model.
#include <fmt/core.h>

#include <filesystem>

#include "model/parameter_counts.h"
#include "rl/commands/output_folder.h"
#include "rl/commands/tool_commands.h"
#include "rl/report/progress.h"
#include "rl/report/terminal.h"

namespace rl {
namespace {

std::string describe(const UpcycleCommandOptions& options, const model::UpcyclePlan& plan) {
  const auto& target = plan.target;
  const auto count = [](int64_t n) { return count_text(static_cast<double>(n)); };
  const auto before = model::count_parameters(plan.dense), after = model::count_parameters(target);
  std::string text =
      fmt::format("{}: {} with {} experts of width {} in each of {} layers, {} active", options.out, target.family,
                  target.router.experts, target.expert_width, target.layers, target.router.active);
  if (target.shared_experts > 0) text += fmt::format(", {} shared", target.shared_experts);
  text += fmt::format("; {} parameters, {} active, of {} dense ones.\n", count(after.total), count(after.active), count(before.total));
  if (plan.differences.empty()) return text + "Its output is the dense model's, up to rounding.\n";
  for (const auto& why : plan.differences) text += "Its output is NOT the dense model's: " + why + ".\n";
  return text;
}

}  // namespace

int run_upcycle(const UpcycleCommandOptions& options) {
  std::error_code none;
  // Onto the dense model itself is the plan's to refuse.
  if (!std::filesystem::equivalent(options.dense, options.out, none)) check_output_folder(options.out, options.force);
  model::UpcyclePlan plan;
  {
    Progress progress("upcycle", 100);
    int64_t shown = 0;
    plan = model::upcycle(options.dense, options.out, options.how, [&](int64_t done, int64_t total) {
      const int64_t percent = done * 100 / total;
      if (percent > shown) progress.update(shown = percent, fmt::format("{} of {} MB", done >> 20, total >> 20));
    });
  }
  fmt::print("{}", describe(options, plan));
  return 0;
}

}  // namespace rl
