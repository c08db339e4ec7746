// The cost of a run as it goes: what was used since the last line of metrics goes to the stage and onto the line.
#pragma once

#include "rl/cost.h"
#include "rl/energy.h"

namespace rl {

struct Run;

class CostMeter {
 public:
  CostMeter(const CostConfig& config, std::string machine) : config_(config), machine_(std::move(machine)) { lap({}); }
  // Since the last call, or since this object was made. `counted`: the counters, which begin at 0; clocks and energy are read here.
  Cost lap(Usage counted);

 private:
  CostConfig config_;
  std::string machine_;
  EnergyCounter energy_;
  std::optional<Usage> last_;
};

// Everything since the last call goes to the present stage's cost, and to the line as timing/cost/*.
void charge(Run& run, Metrics& metrics);

}  // namespace rl
