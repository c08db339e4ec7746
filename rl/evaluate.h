// Accuracy on held-back problems.
#pragma once

#include "rl/collect.h"
#include "rl/summary.h"

namespace rl {

struct EvaluationResult {
  Evaluation numbers;
  std::vector<Group> groups;
};

// Asks each problem `ask.samples` times. Accuracy is the mean over problems of the share of right completions (value at
// least 1 of the reward's maximum, which is taken as 1); its standard error is over problems. Completions that no reward
// could score are left out. Mean length counts all completions.
EvaluationResult evaluate(Collector& collector, const std::vector<Problem>& problems, const Ask& ask);

// One completion for people.
ShownSample shown(const Group& group, size_t sample, const std::string& stage);

}  // namespace rl
