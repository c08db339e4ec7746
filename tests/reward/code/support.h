// Programs to score, and whether this machine can score them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/reward/support.h"

// True if the sandbox's walls stand here; else the test says so and ends.
inline bool sandbox_stands(reward::Reward& reward) {
  const auto problem = reward.self_test();
  if (problem.empty()) return true;
  if (problem.find("walls are missing") == std::string::npos) FAIL(problem);
  WARN("not run: " << problem);
  return false;
}

inline std::string python_block(const std::string& code) { return "```python\n" + code + "\n```\n"; }
inline std::string cpp_block(const std::string& code) { return "```cpp\n" + code + "\n```\n"; }

inline std::string asserts(const std::vector<std::string>& lines, const std::string& setup = "") {
  return nlohmann::json{{"tests", lines}, {"setup", setup}}.dump();
}
inline std::string stdio(const std::vector<std::string>& inputs, const std::vector<std::string>& outputs,
                         const std::string& checker = "tokens") {
  return nlohmann::json{{"inputs", inputs}, {"outputs", outputs}, {"checker", checker}}.dump();
}

// One program, and what must become of it. `verdict`: how the detail begins.
struct Case {
  std::string name, completion, gold;
  double value = 0;
  std::string verdict;
};

// All in one batch, so that the workers share them.
inline void check_cases(reward::Reward& reward, const std::vector<Case>& cases) {
  std::vector<reward::Item> items;
  for (const auto& one : cases) items.push_back(item(one.completion, one.gold));
  const auto outcomes = reward.score(items, no_deadline);
  REQUIRE(outcomes.size() == cases.size());
  for (size_t i = 0; i < cases.size(); ++i) {
    INFO(cases[i].name << ": " << name_of(outcomes[i].status) << " " << outcomes[i].value << ", " << outcomes[i].detail);
    CHECK(outcomes[i].has_value());
    CHECK(outcomes[i].value == cases[i].value);
    CHECK(outcomes[i].detail.substr(0, cases[i].verdict.size()) == cases[i].verdict);
  }
}
