#include "rl/sampling/mixture_metrics.h"

#include "rl/evaluate.h"

namespace rl {

void append_mixture_metrics(Metrics& metrics, const std::vector<Group>& groups, const Mixture& data) {
  for (size_t s = 0; s < data.count(); ++s) {
    double own = 0, completions = 0, tokens = 0, scored = 0, reward = 0;
    for (const Group& group : groups) {
      if (group.problem.set != static_cast<int64_t>(s)) continue;
      own += 1;
      for (const ScoredSample& sample : group.samples) {
        completions += 1;
        tokens += static_cast<double>(sample.record.tokens.size());
        if (!sample.outcome.has_value()) continue;
        scored += 1;
        reward += sample.outcome.value;
      }
    }
    const std::string name = "mix/" + data.set(s).name;
    metrics.emplace_back(name + "/share", own / static_cast<double>(groups.size()));
    if (scored > 0) metrics.emplace_back(name + "/reward", reward / scored);
    if (completions > 0) metrics.emplace_back(name + "/mean_length", tokens / completions);
  }
}

void append_mixture_evaluation(Metrics& metrics, const std::vector<Group>& groups, const Mixture& data,
                               const std::vector<std::string>& judges) {
  for (size_t s = 0; s < data.count(); ++s) {
    const Evaluation e = evaluation_of(groups, judges, static_cast<int64_t>(s));
    if (e.problems == 0) continue;
    metrics.emplace_back("mix/" + data.set(s).name + "/eval_accuracy", e.accuracy);
    metrics.emplace_back("mix/" + data.set(s).name + "/eval_mean_length", e.mean_length);
  }
}

}  // namespace rl
