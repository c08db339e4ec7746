// A small MLA + MoE model, born here, that has sampled two groups: a whole step without its update.
#pragma once

#include "rl/collect.h"
#include "rl/policy.h"

namespace testing {

struct SmallRun {
  rl::Config config;
  rl::Policy policy;
  std::vector<rl::Group> groups;  // 2 prompts of 4 samples, at temperature 0.7

  explicit SmallRun(const std::vector<std::string>& overrides = {});
  const rl::StageConfig& stage() const { return config.stages.front(); }
  // With made-up rewards 0, 1, 2, 3 in each group, advantages and weights, ready for Policy::accumulate.
  std::vector<rl::TrainGroup> training() const;
};

// The config of it, and any other: `extra` stands after its sections.
rl::Config small_config(const std::string& extra, const std::vector<std::string>& overrides = {});
// What reading it says is wrong; empty: nothing.
std::string small_config_error(const std::string& extra);

}  // namespace testing
