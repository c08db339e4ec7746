// One completion in, one outcome out.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "reward/reward.h"
#include "tests/support/catch.h"

constexpr auto no_deadline = std::chrono::steady_clock::time_point::max();
using OptionList = std::vector<std::pair<std::string, std::string>>;

inline std::unique_ptr<reward::Reward> make(const std::string& name, OptionList options = {}) {
  reward::Settings settings;
  settings.name = name;
  settings.options = std::move(options);
  return reward::make_reward(settings);
}

// Runs programs, which not every machine can: tests/reward/code asks first.
inline bool needs_sandbox(const std::string& name) { return name.rfind("code_", 0) == 0; }

inline reward::Item item(std::string completion, std::string answer, std::string prompt = "") {
  reward::Item it;
  it.completion = std::move(completion);
  it.answer = std::move(answer);
  it.prompt = std::move(prompt);
  it.completion_tokens = static_cast<int64_t>(it.completion.size());  // one a byte
  return it;
}

inline reward::Outcome score_one(reward::Reward& reward, const reward::Item& it) {
  const auto outcomes = reward.score({it}, no_deadline);
  REQUIRE(outcomes.size() == 1);
  return outcomes[0];
}
