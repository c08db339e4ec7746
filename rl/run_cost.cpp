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

Cost CostMeter::lap(Usage now) {
  now.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  now.cpu_seconds = cpu_seconds(RUSAGE_SELF) + cpu_seconds(RUSAGE_CHILDREN);
  now.joules = energy_.joules();
  const Cost cost = last_ ? cost_between(*last_, now, config_, machine_) : Cost();
  last_ = now;
  return cost;
}

void charge(Run& run, Metrics& metrics) {
  const rollout::SourceStatistics sampled = run.engine->statistics();
  Usage used;
  used.sampled_tokens = sampled.generated_tokens;
  used.prefilled_tokens = sampled.prompt_tokens + sampled.recomputed_tokens;
  used.trained_tokens = run.policy.trained_tokens();
  used.flops = sampled.flops + run.policy.flops();
  const Cost cost = run.cost->lap(used);
  run.stage_summary().cost.add(cost);
  append_cost(metrics, cost);
}

}  // namespace rl
