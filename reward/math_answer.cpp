// `math`: 1 if the final answer equals the gold, as an exact number or as a normalised text.

#include <fmt/core.h>

#include "reward/answer_parser.h"
#include "reward/builtins.h"
#include "reward/extract.h"
#include "reward/item_reward.h"

namespace reward {
namespace {

constexpr size_t most_text_bytes = 256;  // a gold that is no number

// GSM8K's answer text ends in "#### 18", MATH's solution in a box; anything else is the answer itself.
std::string_view final_part(std::string_view gold) {
  if (const auto hashes = after_hashes(gold)) return trim(*hashes);
  if (const auto box = last_box(gold)) return trim(*box);
  return trim(gold);
}

// Empty, or why the gold cannot be compared with anything.
std::string gold_problem(std::string_view part, const MathAnswer& gold) {
  if (part.empty()) return "the gold answer is empty";
  if (!readable(part)) return "the gold answer is not UTF-8 text with closed braces";
  if (!gold.value && part.size() > most_text_bytes)
    return fmt::format("the gold answer is a text of {} bytes; math reads a number, a text of at most {} bytes, \"#### answer\""
                       " or \\boxed{{answer}}", part.size(), most_text_bytes);
  if (!gold.value && gold.text.empty()) return "the gold answer is empty without its markup";
  return "";
}

class MathReward : public ItemReward {
 public:
  explicit MathReward(bool flexible) : ItemReward("math"), flexible_(flexible) {}

  std::string check_answer(const std::string& answer) override {
    const auto part = final_part(answer);
    return gold_problem(part, read_math_answer(part));
  }

  std::string self_test() override {
    return check_examples(*this, {{"so it is \\boxed{\\frac{1}{2}}.", "2/4", Status::scored, 1},
                                  {"<think>7</think><answer>8</answer>", "7", Status::scored, 0},
                                  {"I do not know.", "7", Status::no_answer, 0}});
  }

 protected:
  Outcome score_one(const Item& item) const override {
    const auto part = final_part(item.answer);
    const auto gold = read_math_answer(part);
    if (const auto problem = gold_problem(part, gold); !problem.empty()) return unscored(Status::not_applicable, problem);
    const auto found = extract(after_thinking(item));
    if (!found || trim(*found).empty()) return no_answer("no answer in a box, in answer tags or after ####");
    if (found->size() > most_answer_bytes) return scored(0, "answer too long", *found);
    const bool equal = same_answer(gold, read_math_answer(*found));
    return scored(equal ? 1 : 0, equal ? "right" : "wrong", trim(*found));
  }

 private:
  std::optional<std::string_view> extract(std::string_view text) const {
    auto found = last_box(text);
    if (!found) found = last_tag(text, "answer");
    if (!found) found = after_hashes(text);
    if (!found && flexible_) found = last_number(text);
    return found;
  }

  bool flexible_;
};

}  // namespace

std::unique_ptr<Reward> make_math(const Options& options) { return std::make_unique<MathReward>(options.flag("flexible")); }

std::vector<OptionInfo> math_options() {
  return {flag_option("flexible", false, "without a box, answer tags and ####, take the last number of the text")};
}

}  // namespace reward
