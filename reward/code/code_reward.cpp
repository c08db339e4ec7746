#include "reward/code/code_reward.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "reward/extract.h"
#include "reward/item_reward.h"

namespace reward::code {
namespace {

using Clock = std::chrono::steady_clock;

// The wall clock may run on while other programs have the processor; sleeping is cut off too.
constexpr double wall_of(double cpu_seconds) { return 2 * cpu_seconds + 1; }

std::vector<std::string> names_in(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    if (const auto name = trim(text.substr(0, end)); !name.empty()) names.emplace_back(name);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return names;
}

}  // namespace

std::vector<OptionInfo> run_options() {
  return {{"timeout", "3", "CPU seconds for one run of the program; the wall clock gets twice that and 1; a gold may set it", {}},
          {"memory_mb", "512", "memory for all processes of one run; a gold may set it", {}},
          {"parallel", "2", "programs that run at the same time", {}},
          {"allow_missing_walls", "", "names of sandbox walls, with commas, that this machine may lack", {}}};
}

RunOptions read_run_options(const Options& options) {
  RunOptions run;
  run.timeout_s = options.number("timeout", 0.01, 3600);
  run.memory_mb = options.whole("memory_mb", 16, 1 << 20);
  run.parallel = options.whole("parallel", 1, 1024);
  run.allow_missing_walls = names_in(options.text("allow_missing_walls"));
  return run;
}

std::vector<Outcome> CodeReward::score(const std::vector<Item>& items, Deadline deadline) {
  std::vector<Outcome> outcomes(items.size());
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < items.size(); i = next++) outcomes[i] = score_safely(items[i], deadline);
  };
  std::vector<std::jthread> helpers;
  for (size_t i = 1; i < std::min(items.size(), static_cast<size_t>(options_.parallel)); ++i) helpers.emplace_back(work);
  work();
  helpers.clear();
  return outcomes;
}

Outcome CodeReward::score_safely(const Item& item, Deadline deadline) {
  if (Clock::now() >= deadline) return unscored(Status::timeout, "not begun by the deadline", "deadline");
  try {
    return score_one(item, deadline);
  } catch (const Overdue&) {
    return unscored(Status::timeout, "the program had less time than it may take, because the deadline came first", "deadline");
  } catch (const std::exception& error) {
    const std::string why = error.what();
    return unscored(Status::infra_error, name_ + ": " + why, why.starts_with("sandbox_error") ? "sandbox_error" : "exception");
  }
}

std::string CodeReward::missing_walls() {
  try {
    sandbox();
    return "";
  } catch (const Error& error) {
    return fmt::format("reward \"{}\": {}", name_, error.what());
  }
}

sandbox::Limits CodeReward::limits_for(const GoldLimits& gold) const {
  sandbox::Limits limits;
  limits.cpu_seconds = gold.timeout_s.value_or(options_.timeout_s);
  limits.wall_seconds = wall_of(limits.cpu_seconds);
  limits.memory_mb = gold.memory_mb.value_or(options_.memory_mb);
  return limits;
}

sandbox::Result CodeReward::run(sandbox::Job job, Deadline deadline) {
  bool cut = false;
  if (deadline != Deadline::max()) {
    const double left = std::chrono::duration<double>(deadline - Clock::now()).count();
    if (left < 0.01) throw Overdue();
    cut = left < job.limits.wall_seconds;
    job.limits.wall_seconds = std::min(job.limits.wall_seconds, left);
  }
  auto result = sandbox().run(job);
  if (result.verdict == sandbox::Verdict::sandbox_error) throw std::runtime_error("sandbox_error: " + result.detail);
  if (cut && result.verdict == sandbox::Verdict::timeout_wall) throw Overdue();
  return result;
}

sandbox::Sandbox& CodeReward::sandbox() {
  std::lock_guard lock(mutex_);
  if (!sandbox_) sandbox_ = std::make_unique<sandbox::Sandbox>(options_.parallel, options_.allow_missing_walls);
  return *sandbox_;
}

}  // namespace reward::code
