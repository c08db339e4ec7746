#include "rl/run_cost.h"

#include <sys/resource.h>

#include <chrono>

#include "rl/run.h"

namespace rl {
namespace {

double cpu_seconds(int who) {
  rusage used{};
  ::getrusage(who, &used);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

}  // namespace

void CostMeter::count_samples(const rollout::SourceStatistics& before, const rollout::SourceStatistics& after) {
  sampled_.sampled_tokens += after.generated_tokens - before.generated_tokens;
  sampled_.prefilled_tokens += after.prompt_tokens + after.recomputed_tokens - before.prompt_tokens - before.recomputed_tokens;
  sampled_.flops += after.flops - before.flops;
}

Cost CostMeter::lap(int64_t trained_tokens, double flops) {
  Usage now = sampled_;
  now.trained_tokens = trained_tokens;
  now.flops += flops;
  now.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  now.cpu_seconds = cpu_seconds(RUSAGE_SELF) + cpu_seconds(RUSAGE_CHILDREN);
  now.joules = energy_.joules();
  const Cost cost = last_ ? cost_between(*last_, now, config_, machine_) : Cost();
  last_ = now;
  return cost;
}

void charge(Run& run, Metrics& metrics) {
  const Cost cost = run.cost->lap(run.policy.trained_tokens(), run.policy.flops());
  run.stage_summary().cost.add(cost);
  append_cost(metrics, cost);
}

}  // namespace rl
