#include "rl/sampling/staleness.h"

#include <algorithm>

namespace rl {

void append_staleness(Metrics& metrics, const std::vector<TrainGroup>& groups, int64_t version) {
  double sum = 0, most = 0, tokens = 0;
  for (const TrainGroup& group : groups)
    for (const TrainSequence& sequence : group.sequences)
      for (size_t t = 0; t < sequence.tokens.size(); ++t) {
        if (!sequence.trained[t] || sequence.versions[t] < 0) continue;
        const auto updates = static_cast<double>(version - sequence.versions[t]);
        sum += updates, tokens += 1;
        most = std::max(most, updates);
      }
  metrics.emplace_back("sampling/staleness_mean", sum / std::max(1.0, tokens));
  metrics.emplace_back("sampling/staleness_max", most);
}

}  // namespace rl
