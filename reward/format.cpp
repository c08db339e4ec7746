// `format`: 1 if the completion has the tags of R1-Zero, <think>...</think><answer>...</answer>.

#include <fmt/core.h>

#include <array>

#include "reward/builtins.h"
#include "reward/extract.h"
#include "reward/item_reward.h"

namespace reward {
namespace {

constexpr std::array<std::string_view, 4> tags = {"<think>", "</think>", "<answer>", "</answer>"};

class FormatReward : public ItemReward {
 public:
  FormatReward(bool strict, bool allow_empty_think, std::string prefill)
      : ItemReward("format"), strict_(strict), allow_empty_think_(allow_empty_think), prefill_(std::move(prefill)) {}

  std::string check_answer(const std::string&) override { return ""; }

  std::string self_test() override {
    const std::string think = prefill_.empty() ? "<think>" : "";
    return check_examples(*this, {{think + "7+5=2</think>\n<answer>2</answer>\n", "", Status::scored, 1},
                                  {think + "7+5=2</think><answer>2</answer> Yes!", "", Status::scored, strict_ ? 0.0 : 1.0},
                                  {"<answer>2</answer>" + think + "7+5=2</think>", "", Status::scored, 0}});
  }

 protected:
  Outcome score_one(const Item& item) const override {
    const auto problem = find_problem(prefill_ + item.completion);
    return scored(problem.empty() ? 1 : 0, problem.empty() ? "well formed" : problem);
  }

 private:
  // Empty if the format is kept. The tags come once each and in order; strict also looks at what stands between them.
  std::string find_problem(std::string_view text) const {
    std::array<size_t, 4> at{};
    for (size_t i = 0; i < tags.size(); ++i) {
      at[i] = text.find(tags[i]);
      if (at[i] == std::string_view::npos) return fmt::format("{} is missing", tags[i]);
      if (text.rfind(tags[i]) != at[i]) return fmt::format("{} comes twice", tags[i]);
      if (i > 0 && at[i] < at[i - 1]) return fmt::format("{} comes too early", tags[i]);
    }
    if (!strict_) return "";
    const auto between = [&](size_t i) {  // tag i and the next one, or the end
      const size_t begin = at[i] + tags[i].size();
      return trim(text.substr(begin, (i + 1 < at.size() ? at[i + 1] : text.size()) - begin));
    };
    if (at[0] != 0) return "text before <think>";
    if (!allow_empty_think_ && between(0).empty()) return "nothing thought";
    if (!between(1).empty()) return "text between </think> and <answer>";
    if (between(2).empty()) return "empty answer";
    return between(3).empty() ? "" : "text after </answer>";
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
  return {{"mode", "strict", "strict: nothing but white space outside the tags, parts not empty; loose: tags once, in order",
           {"strict", "loose"}},
          flag_option("allow_empty_think", false, "strict: <think></think> is allowed, for tasks that may be guessed at once"),
          {"prefill", "", "put before the completion; set it to \"<think>\" when the prompt ends in <think>", {"", "<think>"}}};
}

}  // namespace reward
