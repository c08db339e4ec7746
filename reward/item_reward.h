// Base of the rewards that look at one completion at a time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reward/reward.h"

namespace reward {

class ItemReward : public Reward {
 public:
  explicit ItemReward(std::string name) : name_(std::move(name)) {}
  const std::string& name() const final { return name_; }
  // An item not begun by the deadline is `timeout`; one whose scoring throws is `infra_error`, alone.
  std::vector<Outcome> score(const std::vector<Item>& items, std::chrono::steady_clock::time_point deadline) final;

 protected:
  virtual Outcome score_one(const Item& item) const = 0;

 private:
  std::string name_;
};

// `reason` is a fixed word for counting, `detail` a line for people.
Outcome scored(double value, std::string detail, std::string reason, std::string_view extracted = {});
Outcome no_answer(std::string detail, std::string reason);
Outcome unscored(Status status, std::string detail, std::string reason);

// A completion with text has tokens; 0 of them means that nobody counted.
inline bool knows_tokens(const Item& item) { return item.completion_tokens > 0 || item.completion.empty(); }

// A completion whose outcome is known.
struct Example {
  std::string completion, answer;
  Status status;
  double value;
};
// Empty, or the first example that comes out otherwise.
std::string check_examples(Reward& reward, const std::vector<Example>& examples);

}  // namespace reward
