// `constant`: the same value for every completion. A control (no group has a difference to learn from), or a shift of a sum.
//
//   value = the option "value"

#include "reward/builtins.h"
#include "reward/item_reward.h"

namespace reward {
namespace {

class ConstantReward : public ItemReward {
 public:
  explicit ConstantReward(double value) : ItemReward("constant"), value_(value) {}
  std::string check_answer(const std::string&) override { return ""; }
  std::string self_test() override { return check_examples(*this, {{"", "", Status::scored, value_}}); }

 protected:
  Outcome score_one(const Item&) const override { return scored(value_, "constant", "constant"); }

 private:
  double value_;
};

}  // namespace

std::unique_ptr<Reward> make_constant(const Options& options) {
  return std::make_unique<ConstantReward>(options.number("value", -1e6, 1e6));
}

std::vector<OptionInfo> constant_options() { return {{"value", "1", "the value", {}}}; }

}  // namespace reward
