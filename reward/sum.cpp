#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <utility>

#include "reward/item_reward.h"
#include "reward/options.h"

namespace reward {
namespace {

using Clock = std::chrono::steady_clock;

struct Part {
  Settings settings;
  std::unique_ptr<Reward> reward;
  std::string label;
  std::vector<double> milliseconds;
};

// A part that breaks its contract has failed for these items; nothing is made up in its place.
std::vector<Outcome> score_whole(Reward& reward, const std::vector<Item>& items, Clock::time_point deadline) {
  const auto failed = [&](const std::string& why) {
    return std::vector<Outcome>(items.size(), unscored(Status::infra_error, why, "broken_contract"));
  };
  try {
    auto outcomes = reward.score(items, deadline);
    if (outcomes.size() != items.size())
      return failed(fmt::format("returned {} outcomes for {} items", outcomes.size(), items.size()));
    for (auto& outcome : outcomes)
      if (outcome.has_value() && !std::isfinite(outcome.value))
        outcome = unscored(Status::infra_error, fmt::format("returned the value {}", outcome.value), "not_finite");
    return outcomes;
  } catch (const std::exception& error) {
    return failed(error.what());
  } catch (...) {
    return failed("threw something that is not an exception");
  }
}

int severity(Status status) {
  switch (status) {
    case Status::scored: return 0;
    case Status::no_answer: return 1;
    case Status::not_applicable: return 2;
    case Status::timeout: return 3;
    case Status::infra_error: return 4;
  }
  return 4;
}

bool is_error(Status status) { return status == Status::timeout || status == Status::infra_error; }

void append(std::string& text, const std::string& piece) {
  if (!text.empty()) text += "; ";
  text += piece;
}

class WeightedSum : public Sum {
 public:
  WeightedSum(std::vector<Part> parts, double clip_low, double clip_high)
      : parts_(std::move(parts)), clip_low_(clip_low), clip_high_(clip_high) {}
  const std::string& name() const override { return name_; }

  std::vector<Outcome> score(const std::vector<Item>& items, Clock::time_point deadline) override {
    std::vector<std::vector<Outcome>> scores;  // [part][item]; of items that a part does not apply to: unread
    for (auto& part : parts_) {
      const auto own = Clock::now() + std::chrono::milliseconds(part.settings.timeout_ms);
      scores.push_back(score_part(part, items, std::min(deadline, own)));
    }
    std::vector<Outcome> outcomes;
    for (size_t i = 0; i < items.size(); ++i) outcomes.push_back(combine(scores, i, items[i]));
    return outcomes;
  }

  std::string self_test() override {
    return first_problem([](Reward& reward) { return reward.self_test(); });
  }
  std::string check_answer(const std::string& answer) override {
    return first_problem([&](Reward& reward) { return reward.check_answer(answer); });
  }
  std::string version() const override {
    std::string all;
    for (const auto& part : parts_) append(all, part.label + ": " + part.reward->version());
    return all;
  }
  std::vector<PartTimes> take_times() override {
    std::lock_guard lock(mutex_);
    std::vector<PartTimes> times;
    for (auto& part : parts_) times.push_back({part.label, std::exchange(part.milliseconds, {})});
    return times;
  }

 private:
  // The part sees the items that it applies to, and no call is made when there is none.
  std::vector<Outcome> score_part(Part& part, const std::vector<Item>& items, Clock::time_point deadline) {
    std::vector<Item> own;
    std::vector<size_t> places;
    const bool all = part.settings.applies_to.empty() && part.settings.datasets.empty();
    for (size_t i = 0; i < items.size() && !all; ++i)
      if (applies(part.settings, items[i].data_source, items[i].dataset)) own.push_back(items[i]), places.push_back(i);
    if (!all && own.empty()) return std::vector<Outcome>(items.size());
    const auto start = Clock::now();
    auto outcomes = score_whole(*part.reward, all ? items : own, deadline);
    const double took = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    {
      std::lock_guard lock(mutex_);
      part.milliseconds.push_back(took);
    }
    if (all) return outcomes;
    std::vector<Outcome> spread(items.size());
    for (size_t i = 0; i < places.size(); ++i) spread[places[i]] = std::move(outcomes[i]);
    return spread;
  }

  Outcome combine(const std::vector<std::vector<Outcome>>& scores, size_t place, const Item& item) const {
    Outcome total;
    double sum = 0;
    bool open = true, summed = false;
    for (size_t p = 0; p < parts_.size(); ++p) {
      const auto& part = parts_[p];
      const Settings& settings = part.settings;
      if (!applies(settings, item.data_source, item.dataset)) continue;
      const auto& outcome = scores[p][place];
      const bool metric = settings.role == "metric", zeroed = settings.on_error == "zero" && is_error(outcome.status);
      summed = summed || settings.role == "sum";
      if (!outcome.has_value()) total.failed.emplace_back(part.label, outcome.status);
      total.abort = total.abort || (settings.on_error == "abort" && is_error(outcome.status));
      if (!outcome.detail.empty()) append(total.detail, part.label + ": " + outcome.detail);
      if (outcome.has_value()) total.components.emplace_back(part.label, outcome.value);
      if (metric) continue;
      // The reason is that of the gravest status; of equals, the first part's.
      const Status status = zeroed ? Status::scored : outcome.status;
      if (severity(status) > severity(total.status)) total.status = status, total.reason = outcome.reason;
      if (total.reason.empty()) total.reason = outcome.reason;
      if (total.extracted.empty()) total.extracted = outcome.extracted;
      if (!outcome.has_value() && !zeroed) continue;
      const double value = zeroed ? 0 : outcome.value;
      if (settings.role == "gate") open = open && value > 0;
      else sum += settings.weight * value;
    }
    if (!summed) {
      total.status = Status::not_applicable;
      total.reason = "no_reward_applies";
      append(total.detail, fmt::format("no reward applies to data source \"{}\"", item.data_source));
    }
    if (total.has_value()) total.value = std::clamp(open ? sum : 0.0, clip_low_, clip_high_);
    return total;
  }

  template <typename Check>
  std::string first_problem(Check check) {
    for (auto& part : parts_) {
      std::string problem;
      try {
        problem = check(*part.reward);
      } catch (const std::exception& error) {
        problem = error.what();
      }
      if (!problem.empty()) return part.label + ": " + problem;
    }
    return "";
  }

  std::string name_ = "sum";
  std::vector<Part> parts_;
  double clip_low_, clip_high_;
  std::mutex mutex_;  // guards the times
};

}  // namespace

bool applies_to_set(const Settings& settings, const std::string& dataset) {
  return settings.datasets.empty() || std::find(settings.datasets.begin(), settings.datasets.end(), dataset) != settings.datasets.end();
}

bool applies(const Settings& settings, const std::string& data_source, const std::string& dataset) {
  if (!applies_to_set(settings, dataset)) return false;
  const auto& wanted = settings.applies_to;
  return wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [&](const std::string& pattern) {
           if (pattern.empty() || pattern.back() != '*') return pattern == data_source;
           return data_source.compare(0, pattern.size() - 1, pattern, 0, pattern.size() - 1) == 0;
         });
}

std::vector<std::string> part_labels(const std::vector<Settings>& parts) {
  std::vector<std::string> labels;
  for (const auto& settings : parts) {
    std::string label = settings.name;
    for (int n = 2; std::find(labels.begin(), labels.end(), label) != labels.end(); ++n)
      label = fmt::format("{}_{}", settings.name, n);
    labels.push_back(label);
  }
  return labels;
}

std::unique_ptr<Sum> make_sum(std::vector<std::pair<Settings, std::unique_ptr<Reward>>> parts, double clip_low,
                              double clip_high) {
  if (!(clip_low <= clip_high))
    throw Error(fmt::format("reward: the range [{}, {}] is empty. Write the lower end first.", clip_low, clip_high));
  std::vector<Settings> all;
  for (const auto& [settings, unused] : parts) all.push_back(settings);
  const auto labels = part_labels(all);
  std::vector<Part> own;
  bool summed = false;
  for (auto& [settings, reward] : parts) {
    summed = summed || settings.role == "sum";
    own.push_back({settings, std::move(reward), labels[own.size()], {}});
  }
  if (own.empty()) throw Error("reward: there is none. Add a [[reward]] entry, such as name = \"math\".");
  if (!summed) throw Error("reward: no entry has role = \"sum\", so there is nothing to learn from. Add one.");
  return std::make_unique<WeightedSum>(std::move(own), clip_low, clip_high);
}

}  // namespace reward
