// The cost of a run as it goes: what was used since the last line of metrics goes to the stage and onto the line.
#pragma once

#include "rl/cost.h"
#include "rl/energy.h"
#include "rollout/source.h"

namespace rl {

struct Run;

class CostMeter {
 public:
  CostMeter(const CostConfig& config, std::string machine) : config_(config), machine_(std::move(machine)) { lap(0, 0); }
  // Samples drawn between two readings of the engine: of a step when it is trained on, for the engine may be drawing the next ones.
  void count_samples(const rollout::SourceStatistics& before, const rollout::SourceStatistics& after);
  // Since the last call, or since this object was made. Both count from 0, without sampling; clocks and energy are read here.
  Cost lap(int64_t trained_tokens, double flops);

 private:
  CostConfig config_;
  std::string machine_;
  EnergyCounter energy_;
  Usage sampled_;  // tokens and flops of samples
  std::optional<Usage> last_;
};

// Everything since the last call goes to the present stage's cost, and to the line as timing/cost/*.
void charge(Run& run, Metrics& metrics);

}  // namespace rl
