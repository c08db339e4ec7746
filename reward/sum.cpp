#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "reward/item_reward.h"
#include "reward/options.h"

namespace reward {
namespace {

using Clock = std::chrono::steady_clock;

struct Part {
  Settings settings;
  std::unique_ptr<Reward> reward;
  std::string label;  // its name, or name_2 for the second of that name
};

// A part that breaks its contract has failed for these items; nothing is made up in its place.
std::vector<Outcome> score_part(Reward& reward, const std::vector<Item>& items, Clock::time_point deadline) {
  const auto failed = [&](const std::string& why) {
    return std::vector<Outcome>(items.size(), unscored(Status::infra_error, why));
  };
  try {
    auto outcomes = reward.score(items, deadline);
    if (outcomes.size() != items.size())
      return failed(fmt::format("returned {} outcomes for {} items", outcomes.size(), items.size()));
    for (auto& outcome : outcomes)
      if (outcome.has_value() && !std::isfinite(outcome.value))
        outcome = unscored(Status::infra_error, fmt::format("returned the value {}", outcome.value));
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

void append(std::string& text, const std::string& piece) {
  if (!text.empty()) text += "; ";
  text += piece;
}

class Sum : public Reward {
 public:
  explicit Sum(std::vector<Part> parts) : parts_(std::move(parts)) {}
  const std::string& name() const override { return name_; }

  std::vector<Outcome> score(const std::vector<Item>& items, Clock::time_point deadline) override {
    std::vector<std::vector<Outcome>> scores;  // [part][item]
    for (const auto& part : parts_) {
      const auto own = Clock::now() + std::chrono::milliseconds(part.settings.timeout_ms);
      scores.push_back(score_part(*part.reward, items, std::min(deadline, own)));
    }
    std::vector<Outcome> outcomes;
    for (size_t i = 0; i < items.size(); ++i) outcomes.push_back(combine(scores, i));
    return outcomes;
  }

  std::string self_test() override {
    return first_problem([](Reward& reward) { return reward.self_test(); });
  }
  std::string check_answer(const std::string& answer) override {
    return first_problem([&](Reward& reward) { return reward.check_answer(answer); });
  }

 private:
  Outcome combine(const std::vector<std::vector<Outcome>>& scores, size_t item) const {
    Outcome total;
    double sum = 0;
    bool open = true;
    for (size_t p = 0; p < parts_.size(); ++p) {
      const auto& part = parts_[p];
      const auto& outcome = scores[p][item];
      if (severity(outcome.status) > severity(total.status)) total.status = outcome.status;
      if (!outcome.detail.empty()) append(total.detail, part.label + ": " + outcome.detail);
      if (total.extracted.empty()) total.extracted = outcome.extracted;
      if (!outcome.has_value()) continue;
      total.components.emplace_back(part.label, outcome.value);
      if (part.settings.gate) open = open && outcome.value > 0;
      else sum += part.settings.weight * outcome.value;
    }
    if (total.has_value() && open) total.value = sum;
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
};

}  // namespace

std::unique_ptr<Reward> make_sum(std::vector<std::pair<Settings, std::unique_ptr<Reward>>> parts) {
  std::vector<Part> own;
  std::set<std::string> labels;
  bool weighted = false;
  for (auto& [settings, reward] : parts) {
    check_settings(settings);
    weighted = weighted || !settings.gate;
    std::string label = settings.name;
    for (int n = 2; !labels.insert(label).second; ++n) label = fmt::format("{}_{}", settings.name, n);
    own.push_back({settings, std::move(reward), label});
  }
  if (!weighted)
    throw Error(own.empty() ? "reward: there is none. Add a [[reward]] entry, such as name = \"math\"."
                            : "reward: every entry is a gate, so the sum is always 0. Add an entry without gate = true.");
  return std::make_unique<Sum>(std::move(own));
}

}  // namespace reward
