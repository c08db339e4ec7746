// `tag_count`: a quarter for each of <think>, </think>, <answer>, </answer> that occurs exactly once.
//
//   value = 0.25 * (number of the four tags that occur exactly once), wherever they stand
//
// Source: tag_count_reward of huggingface/open-r1 (src/open_r1/rewards.py), which counts the tags with their line breaks;
// here the bare tags count. Partial credit is farmed: four tags without a thought earn it all. Use it to get a model
// started, beside `format`.

#include <fmt/core.h>

#include "reward/builtins.h"
#include "reward/item_reward.h"
#include "reward/think_tags.h"

namespace reward {
namespace {

class TagCountReward : public ItemReward {
 public:
  explicit TagCountReward(std::string prefill) : ItemReward("tag_count"), prefill_(std::move(prefill)) {}

  std::string check_answer(const std::string&) override { return ""; }

  std::string self_test() override {
    const std::string think = prefill_ == "<think>" ? "" : "<think>";
    return check_examples(*this, {{think + "a</think><answer>b</answer>", "", Status::scored, 1},
                                  {think + "a</think>b", "", Status::scored, 0.5},
                                  {think + "a</think></think>", "", Status::scored, 0.25}});
  }

 protected:
  Outcome score_one(const Item& item) const override {
    const auto text = with_prefill(item, prefill_);
    int once = 0;
    for (const auto tag : think_tags) once += count_of(text, tag) == 1;
    const char* reason = once == 4 ? "all_tags" : once == 0 ? "no_tags" : "some_tags";
    return scored(0.25 * once, fmt::format("{} of 4 tags once", once), reason);
  }

 private:
  std::string prefill_;
};

}  // namespace

std::unique_ptr<Reward> make_tag_count(const Options& options) {
  return std::make_unique<TagCountReward>(options.text("prefill"));
}

std::vector<OptionInfo> tag_count_options() { return {prefill_option()}; }

}  // namespace reward
