// `format`: 1 if the completion has the form of R1-Zero, <think>...</think><answer>...</answer>; else 0.
//
//   loose:   each of the four tags exactly once, in this order, and neither the thinking nor the answer is empty
//   strict:  and white space alone stands between </think> and <answer>, and after </answer>; nothing before <think>
//
// Source: DeepSeek-R1, arXiv:2501.12948, section 2.2 (format reward). The common regular expressions accept an empty
// <think></think> and repeated tags, which policies learn to write; here they earn nothing.

#include <fmt/core.h>

#include "reward/builtins.h"
#include "reward/extract.h"
#include "reward/item_reward.h"
#include "reward/think_tags.h"

namespace reward {
namespace {

class FormatReward : public ItemReward {
 public:
  FormatReward(bool strict, bool allow_empty_think, std::string prefill)
      : ItemReward("format"), strict_(strict), allow_empty_think_(allow_empty_think), prefill_(std::move(prefill)) {}

  std::string check_answer(const std::string&) override { return ""; }

  std::string self_test() override {
    const std::string think = prefill_ == "<think>" ? "" : "<think>";
    return check_examples(*this,
                          {{think + "7+5=2</think>\n<answer>2</answer>\n", "", Status::scored, 1},
                           {think + "7+5=2</think><answer>2</answer> Yes!", "", Status::scored, strict_ ? 0.0 : 1.0},
                           {think + " </think><answer>2</answer>", "", Status::scored, allow_empty_think_ ? 1.0 : 0.0},
                           {"<answer>2</answer>" + think + "7+5=2</think>", "", Status::scored, 0}});
  }

 protected:
  Outcome score_one(const Item& item) const override {
    const auto problem = find_problem(with_prefill(item, prefill_));
    return problem.reason.empty() ? scored(1, "well formed", "well_formed") : scored(0, problem.detail, problem.reason);
  }

 private:
  struct Problem {
    std::string reason, detail;  // empty if the form is kept
  };
  Problem find_problem(std::string_view text) const {
    std::array<size_t, 4> at{};
    for (size_t i = 0; i < at.size(); ++i) {
      const auto tag = think_tags[i];
      at[i] = text.find(tag);
      if (at[i] == std::string_view::npos) return {"tag_missing", fmt::format("{} is missing", tag)};
      if (text.rfind(tag) != at[i]) return {"tag_twice", fmt::format("{} comes twice", tag)};
      if (i > 0 && at[i] < at[i - 1]) return {"tag_order", fmt::format("{} comes too early", tag)};
    }
    const auto after = [&](size_t i) {  // from tag i to the next one, or to the end
      const size_t begin = at[i] + think_tags[i].size();
      return trim(text.substr(begin, (i + 1 < at.size() ? at[i + 1] : text.size()) - begin));
    };
    if (!allow_empty_think_ && after(0).empty()) return {"empty_think", "nothing thought"};
    if (after(2).empty()) return {"empty_answer", "empty answer"};
    if (!strict_) return {};
    if (at[0] != 0) return {"text_outside", "text before <think>"};
    if (!after(1).empty()) return {"text_outside", "text between </think> and <answer>"};
    if (!after(3).empty()) return {"text_outside", "text after </answer>"};
    return {};
  }

  bool strict_, allow_empty_think_;
  std::string prefill_;
};

}  // namespace

std::unique_ptr<Reward> make_format(const Options& options) {
  return std::make_unique<FormatReward>(options.text("mode") == "strict", options.flag("allow_empty_think"),
                                        options.text("prefill"));
}

std::vector<OptionInfo> format_options() {
  return {{"mode",
           "strict",
           "strict: nothing but white space outside the tags; loose: text around them is allowed",
           {"strict", "loose"}},
          flag_option("allow_empty_think", false, "<think></think> is allowed, for tasks that may be guessed at once"),
          prefill_option()};
}

}  // namespace reward
