#include "rl/reward_metrics.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <set>

#include "rl/advantage/group_advantages.h"

namespace rl {
namespace {

using reward::Status;

bool is_error(Status status) { return status == Status::timeout || status == Status::infra_error; }

const double* value_of(const reward::Outcome& outcome, const std::string& part) {
  for (const auto& [name, value] : outcome.components)
    if (name == part) return &value;
  return nullptr;
}

const Status* failure_of(const reward::Outcome& outcome, const std::string& part) {
  for (const auto& [name, status] : outcome.failed)
    if (name == part) return &status;
  return nullptr;
}

void append_part(Metrics& metrics, const std::vector<Group>& groups, const std::string& part) {
  std::vector<double> all;
  double count = 0, errors = 0, timeouts = 0, skips = 0, groups_seen = 0, zero = 0;
  for (const Group& group : groups) {
    std::vector<double> values;
    const double before = count;
    for (const auto& s : group.samples) {
      const double* value = value_of(s.outcome, part);
      const Status* failure = failure_of(s.outcome, part);
      if (value != nullptr) values.push_back(*value);
      if (failure != nullptr) {
        errors += *failure == Status::infra_error;
        timeouts += *failure == Status::timeout;
        skips += *failure == Status::not_applicable;
      }
      count += value != nullptr || failure != nullptr;
    }
    if (count == before) continue;
    groups_seen += 1;
    zero += values.size() < 2 || moments_of(values).population_std == 0;
    all.insert(all.end(), values.begin(), values.end());
  }
  if (count == 0) return;
  const std::string name = "rewards/" + part + "/";
  const Moments m = moments_of(all);
  if (!all.empty()) metrics.emplace_back(name + "mean", m.mean);
  if (all.size() > 1) metrics.emplace_back(name + "std", m.unbiased_std);
  metrics.emplace_back(name + "frac_zero_std", zero / groups_seen);
  metrics.emplace_back(name + "error_share", errors / count);
  metrics.emplace_back(name + "timeout_share", timeouts / count);
  metrics.emplace_back(name + "skip_share", skips / count);
}

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1) + 0.5)];
}

}  // namespace

Metrics reward_metrics(const std::vector<Group>& groups, const StageConfig& stage) {
  std::vector<double> all;
  double std_sum = 0, zero = 0, unscored = 0, errors = 0, no_answer = 0, count = 0;
  for (const Group& group : groups) {
    std::vector<double> values;
    for (const auto& s : group.samples) {
      count += 1;
      unscored += !s.outcome.has_value();
      errors += is_error(s.outcome.status);
      no_answer += s.outcome.status == Status::no_answer;
      if (s.outcome.has_value()) values.push_back(s.outcome.value);
    }
    const Moments m = moments_of(values);
    std_sum += values.size() > 1 ? m.unbiased_std : 0;
    zero += values.size() < 2 || m.population_std == 0;
    all.insert(all.end(), values.begin(), values.end());
  }
  const double n = static_cast<double>(groups.size());
  const double mean = all.empty() ? std::numeric_limits<double>::quiet_NaN() : moments_of(all).mean;  // nothing scored is no 0
  Metrics metrics{{"reward", mean}, {"reward_std", std_sum / n}, {"frac_reward_zero_std", zero / n}};
  for (const std::string& part : reward::part_labels(stage.rewards)) append_part(metrics, groups, part);
  metrics.emplace_back("completions/no_answer_share", no_answer / count);
  metrics.emplace_back("completions/unscored_share", unscored / count);
  metrics.emplace_back("completions/error_share", errors / count);
  return metrics;
}

void append_reward_times(Metrics& metrics, const std::vector<reward::PartTimes>& times) {
  for (const auto& part : times) {
    if (part.milliseconds.empty()) continue;
    metrics.emplace_back("timing/rewards/" + part.name + "/p50_ms", quantile(part.milliseconds, 0.5));
    metrics.emplace_back("timing/rewards/" + part.name + "/p99_ms", quantile(part.milliseconds, 0.99));
  }
}

std::string evaluation_problem(const std::vector<Group>& groups, const StageConfig& stage) {
  int64_t completions = 0, failed = 0;
  const reward::Outcome* first = nullptr;
  for (const Group& group : groups)
    for (const auto& s : group.samples) {
      ++completions;
      if (!is_error(s.outcome.status)) continue;
      ++failed;
      if (first == nullptr) first = &s.outcome;
    }
  if (first == nullptr || static_cast<double>(failed) <= stage.filter.max_infra_error_share * static_cast<double>(completions)) return "";
  return fmt::format("{} of {} completions of the evaluation could not be scored, more than filter.max_infra_error_share = {}. The first: {}",
                     failed, completions, stage.filter.max_infra_error_share, first->detail);
}

std::string add_errors(RewardErrors& errors, const StageConfig& stage, const std::vector<Group>& groups) {
  const auto labels = reward::part_labels(stage.rewards);
  std::set<std::string> metrics;
  bool any_abort = false;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (stage.rewards[i].role == "metric") metrics.insert(labels[i]);
    any_abort = any_abort || stage.rewards[i].on_error == "abort";
  }
  int64_t completions = 0, timeouts = 0, others = 0;
  const reward::Outcome *first = nullptr, *aborts = nullptr;
  for (const Group& group : groups)
    for (const auto& s : group.samples) {
      ++completions;
      const auto& outcome = s.outcome;
      Status worst = is_error(outcome.status) ? outcome.status : Status::scored;
      for (const auto& [part, status] : outcome.failed)
        if (is_error(status) && worst != Status::infra_error && metrics.count(part) == 0) worst = status;
      timeouts += worst == Status::timeout;
      others += worst == Status::infra_error;
      if (is_error(worst) && first == nullptr) first = &outcome;
      // A call that never came back says nothing about its parts.
      if (outcome.abort || (any_abort && outcome.failed.empty() && is_error(outcome.status))) aborts = &outcome;
    }
  errors.push_back(timeouts + others);
  while (static_cast<int64_t>(errors.size()) > stage.filter.error_window_steps) errors.pop_front();
  if (aborts != nullptr) return fmt::format("a reward with on_error = \"abort\" failed: {}", aborts->detail);
  int64_t sum = 0;
  for (const int64_t n : errors) sum += n;
  const FilterConfig& filter = stage.filter;
  const double limit = filter.max_infra_error_share * static_cast<double>(filter.error_window_steps * completions);
  if (sum == 0 || static_cast<double>(sum) <= limit) return "";
  return fmt::format(
      "the rewards fail too often. Of this step's {} completions {} timed out and {} failed otherwise; {} did in the last {} "
      "steps, and filter.max_infra_error_share = {} of {} steps allows {:.0f}. The first: {}",
      completions, timeouts, others, sum, errors.size(), filter.max_infra_error_share, filter.error_window_steps, limit,
      first != nullptr ? first->detail : "(of an earlier step)");
}

}  // namespace rl
