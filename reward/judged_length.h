// Base of the rewards whose value follows from how long a completion is and whether another reward calls it right.
//
// Option "of" names that reward, a built-in ("math" when left out); "of_X" is its option X: of_extraction = "strict". A
// completion is right if its value is 1 or more. Its no_answer is wrong; where it gives no value, there is none here either.
// Length is counted in tokens; a completion whose tokens are not known is not_applicable.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "reward/options.h"
#include "reward/reward.h"

namespace reward {

class JudgedLengthReward : public Reward {
 public:
  // Throws Error for an `of` that is no built-in, or that is itself a reward of this kind.
  JudgedLengthReward(std::string name, const Options& options);
  const std::string& name() const final { return name_; }
  std::vector<Outcome> score(const std::vector<Item>& items, std::chrono::steady_clock::time_point deadline) final;
  std::string self_test() final;
  std::string check_answer(const std::string& answer) final { return judge_->check_answer(answer); }

  static std::vector<OptionInfo> options();  // "of" and "of_*"

 protected:
  struct Judged {
    int64_t tokens;
    bool right;
  };
  // One value each, for completions of one group: those that have a verdict and a length.
  virtual std::vector<double> values(const std::vector<Judged>& group) const = 0;
  // Empty, or how values() differs from what it should be on a fixed group.
  virtual std::string check_values() const = 0;

 private:
  std::string name_;
  std::unique_ptr<Reward> judge_;
};

}  // namespace reward
