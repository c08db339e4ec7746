#include "rl/best_metric.h"

#include <fmt/core.h>

#include <cmath>

namespace rl {
namespace {

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool is_evaluation(const std::string& metric) { return metric.rfind("eval/", 0) == 0; }

}  // namespace

std::optional<bool> higher_is_better(const std::string& metric, const std::string& word) {
  if (word != "auto") return word == "max";
  if (ends_with(metric, "accuracy")) return true;
  for (const char* low : {"loss", "perplexity", "no_answer_share", "truncated_share"})
    if (ends_with(metric, low)) return false;
  return std::nullopt;
}

bool is_better(double value, double than, bool higher, double margin) {
  if (!std::isfinite(value)) return false;
  if (!std::isfinite(than)) return true;
  return higher ? value > than + margin : value < than - margin;
}

std::string evaluation_metric_problem(const std::string& metric, const std::string& word, const std::string& word_key) {
  if (!is_evaluation(metric) || find_metric(metric) == nullptr)
    return fmt::format("is \"{}\", but must be a metric of evaluations as it stands in metrics.jsonl, such as \"eval/accuracy\" or, "
                       "of an sft stage, \"eval/loss\".", metric);
  if (!higher_is_better(metric, word))
    return fmt::format("is \"{}\", of which it is not known whether more is better. Set {} to \"max\" or \"min\".", metric, word_key);
  return "";
}

std::optional<double> value_of(const Metrics& metrics, const std::string& name) {
  for (const auto& [known, value] : metrics)
    if (known == name) return value;
  return std::nullopt;
}

std::string names_of_evaluation(const Metrics& metrics) {
  std::string names;
  for (const auto& [name, unused] : metrics)
    if (is_evaluation(name)) names += (names.empty() ? "" : ", ") + name;
  return names;
}

}  // namespace rl
