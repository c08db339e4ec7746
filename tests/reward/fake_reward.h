// A reward whose outcomes a test chooses.
#pragma once

#include <functional>

#include "reward/reward.h"

class FakeReward : public reward::Reward {
 public:
  using Items = std::vector<reward::Item>;
  using Deadline = std::chrono::steady_clock::time_point;
  using Score = std::function<std::vector<reward::Outcome>(const Items&, Deadline)>;

  explicit FakeReward(Score score) : score_(std::move(score)) {}
  const std::string& name() const override { return name_; }
  std::vector<reward::Outcome> score(const Items& items, Deadline deadline) override { return score_(items, deadline); }
  std::string self_test() override { return "the fake is broken"; }
  std::string check_answer(const std::string& answer) override { return answer == "bad" ? "bad gold" : ""; }

 private:
  std::string name_ = "fake";
  Score score_;
};

inline reward::Outcome outcome(reward::Status status, double value = 0) {
  reward::Outcome out;
  out.status = status;
  out.value = value;
  return out;
}
