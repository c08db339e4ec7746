// Accuracy on held-back problems while training.
#pragma once

#include <string>
#include <vector>

#include "rl/collect.h"
#include "rl/report/summary.h"

namespace rl {

struct EvaluationResult {
  Evaluation numbers;
  std::vector<Group> groups;
};

// The reward whose verdict is the accuracy: the first of them that compares answers with the gold, by its name in the sum's
// components. Rewards of style (format, length and the like) say nothing about it. Empty when there is no such reward: the sum
// itself then counts.
std::string judge_of(const std::vector<reward::Settings>& rewards);
// Of each of a stage's data sets, by Problem::set: the judge among the rewards that score it.
std::vector<std::string> judges_of(const StageConfig& stage);

// Numbers of scored groups. Accuracy is the mean over problems of the share of completions that the judge found
// right (its own value is 1, whatever the weights and the other rewards say); its standard error is over problems. Completions
// that no reward could score are left out. Mean length counts all completions. `set`: only of this data set; -1: of all.
Evaluation evaluation_of(const std::vector<Group>& groups, const std::vector<std::string>& judges, int64_t set = -1);

// Asks each prompt `ask.samples` times.
EvaluationResult evaluate(Collector& collector, const std::vector<Prompt>& prompts, const Ask& ask, const std::vector<std::string>& judges);

// One completion for people.
ShownSample shown(const Group& group, size_t sample, const std::string& stage);

}  // namespace rl
