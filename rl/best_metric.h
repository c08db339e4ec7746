// Which of two evaluations is the better one, by a metric of theirs.
#pragma once

#include <optional>
#include <string>

#include "rl/metrics.h"

namespace rl {

// Whether more is better. `word`: max, min, or auto: accuracies are better high; losses, perplexities and the shares of unreadable
// or cut answers low. nullopt: auto does not know this metric.
std::optional<bool> higher_is_better(const std::string& metric, const std::string& word);

// By more than `margin`. A value that is not finite is better than nothing and no other.
bool is_better(double value, double than, bool higher, double margin = 0);

// Empty, or why no evaluation can have this metric, with how to fix it. `word` as above.
std::string evaluation_metric_problem(const std::string& metric, const std::string& word, const std::string& word_key);

// The value of a metric in a line.
std::optional<double> value_of(const Metrics& metrics, const std::string& name);
std::string names_of_evaluation(const Metrics& metrics);  // "eval/accuracy, eval/mean_length, ..."

}  // namespace rl
