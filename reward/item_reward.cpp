#include "reward/item_reward.h"

#include <fmt/core.h>

namespace reward {

std::vector<Outcome> ItemReward::score(const std::vector<Item>& items, std::chrono::steady_clock::time_point deadline) {
  std::vector<Outcome> outcomes;
  outcomes.reserve(items.size());
  for (const auto& item : items) {
    if (std::chrono::steady_clock::now() >= deadline) {
      outcomes.push_back(unscored(Status::timeout, "not begun by the deadline", "deadline"));
      continue;
    }
    try {
      outcomes.push_back(score_one(item));
    } catch (const std::exception& error) {
      outcomes.push_back(unscored(Status::infra_error, fmt::format("{}: {}", name_, error.what()), "exception"));
    }
  }
  return outcomes;
}

Outcome scored(double value, std::string detail, std::string reason, std::string_view extracted) {
  Outcome outcome;
  outcome.value = value;
  outcome.detail = std::move(detail);
  outcome.reason = std::move(reason);
  outcome.extracted = std::string(extracted.substr(0, 1000));
  return outcome;
}

Outcome no_answer(std::string detail, std::string reason) {
  return unscored(Status::no_answer, std::move(detail), std::move(reason));
}

Outcome unscored(Status status, std::string detail, std::string reason) {
  Outcome outcome;
  outcome.status = status;
  outcome.detail = std::move(detail);
  outcome.reason = std::move(reason);
  return outcome;
}

std::string check_examples(Reward& reward, const std::vector<Example>& examples) {
  for (const auto& example : examples) {
    Item item;
    item.completion = example.completion;
    item.answer = example.answer;
    const auto outcomes = reward.score({item}, std::chrono::steady_clock::time_point::max());
    const auto& got = outcomes.at(0);
    if (got.status == example.status && got.value == example.value) continue;
    return fmt::format("{}: \"{}\" with gold \"{}\" gave {} {}, expected {} {}", reward.name(), example.completion,
                       example.answer, name_of(got.status), got.value, name_of(example.status), example.value);
  }
  return "";
}

}  // namespace reward
