// `exact`: 1 if the text in the answer tags is the gold, letter for letter.

#include <fmt/core.h>

#include "reward/builtins.h"
#include "reward/extract.h"
#include "reward/item_reward.h"

namespace reward {
namespace {

class ExactReward : public ItemReward {
 public:
  ExactReward(std::string tag, bool whole) : ItemReward("exact"), tag_(std::move(tag)), whole_(whole) {}

  std::string check_answer(const std::string& answer) override {
    return trim(answer).empty() ? "the gold answer is empty" : "";
  }

  std::string self_test() override {
    const auto wrap = [&](const std::string& text) { return whole_ ? text : fmt::format("<{0}>{1}</{0}>", tag_, text); };
    return check_examples(*this, {{wrap(" Paris\n"), "Paris", Status::scored, 1},
                                  {wrap("18.0"), "18", Status::scored, 0},
                                  {"", "18", Status::no_answer, 0}});
  }

 protected:
  Outcome score_one(const Item& item) const override {
    const auto gold = trim(item.answer);
    if (gold.empty()) return unscored(Status::not_applicable, "the gold answer is empty", "unreadable_gold");
    const auto found = whole_ ? std::string_view(item.completion) : last_tag(after_thinking(item), tag_);
    if (!found || trim(*found).empty())
      return whole_ ? no_answer("empty completion", "empty") : no_answer(fmt::format("no answer in <{}>", tag_), "no_tag");
    const bool equal = trim(*found) == gold;
    return equal ? scored(1, "right", "right", trim(*found)) : scored(0, "wrong", "wrong", trim(*found));
  }

 private:
  std::string tag_;
  bool whole_;
};

}  // namespace

std::unique_ptr<Reward> make_exact(const Options& options) {
  const auto& tag = options.text("tag");
  const bool clean = !tag.empty() && tag.find_first_of("<>/ ") == std::string::npos;
  if (!clean) throw Error(fmt::format("reward \"exact\": option tag is \"{}\". Set it to a bare name, such as answer.", tag));
  return std::make_unique<ExactReward>(tag, options.flag("whole"));
}

std::vector<OptionInfo> exact_options() {
  return {{"tag", "answer", "the tag the answer stands in; the last complete one after </think> counts", {}},
          flag_option("whole", false, "compare the whole completion, without looking for tags")};
}

}  // namespace reward
