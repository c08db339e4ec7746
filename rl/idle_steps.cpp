#include "rl/idle_steps.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "rl/event_log.h"

namespace rl {

void watch_idle_steps(Run& run, const StageConfig& stage, const std::vector<Group>& groups, const TrainingGroups& training) {
  const bool idle = training.groups.empty();
  const int64_t before = idle ? run.state.idle_steps++ : std::exchange(run.state.idle_steps, 0);
  if (idle == (before > 0)) return;
  const auto alike = std::count_if(groups.begin(), groups.end(), [&](const Group& g) { return use_of(g, stage) == GroupUse::equal; });
  const std::string text =
      idle ? fmt::format("no update: of {} groups none is left to train on. {} are alike by filter.metric = \"{}\", {} have too "
                         "few completions with a reward",
                         groups.size(), alike, stage.filter.metric, static_cast<int64_t>(groups.size()) - alike)
           : fmt::format("groups to train on again, after {} step{} without", before, before == 1 ? "" : "s");
  append_event(run.config.run.output_dir, stage.name, run.state.step + 1, idle ? "idle" : "idle_over", text);
  fmt::print(stderr, "\n{}: stage {}, step {}: {}\n", idle ? "warning" : "note", stage.name, run.state.step + 1, text);
}

}  // namespace rl
