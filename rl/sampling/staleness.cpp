#include "rl/sampling/staleness.h"

#include <algorithm>

namespace rl {

void append_staleness(Metrics& metrics, const std::vector<Group>& groups, int64_t version) {
  double sum = 0, most = 0, tokens = 0;
  for (const Group& group : groups)
    for (const ScoredSample& sample : group.samples)
      for (const int32_t drawn_with : sample.record.policy_versions) {
        const auto updates = static_cast<double>(version - drawn_with);
        sum += updates, tokens += 1;
        most = std::max(most, updates);
      }
  metrics.emplace_back("sampling/staleness_mean", sum / std::max(1.0, tokens));
  metrics.emplace_back("sampling/staleness_max", most);
}

}  // namespace rl
