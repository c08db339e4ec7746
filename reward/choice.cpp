// `choice`: 1 if the chosen letter is the gold's. Letters A to J, or to the option "last".
//
// Where the choice is read, the first of these that is there:
//   the last \boxed{...}; the last <answer>...</answer>            B   b   (B)   B.   B) text   \text{(B)}   **B**
//   the last line, when it is a letter and nothing more            B   (B)   B.   **B**
//   after the last "answer", then "option" or "choice", with is, are, : or = behind it
// A letter inside a word is none, nor is the A of "a cat" or "Answer: A cat". Two different letters in one place (A or B)
// are no choice: 0. After </think> only.
//
// Source: own; the forms are those that answer to multiple-choice sets such as MMLU-Pro and GPQA. Guessing earns 1 in
// the number of letters, so such sets teach little.

#include <fmt/core.h>

#include <optional>

#include "reward/builtins.h"
#include "reward/choice_text.h"
#include "reward/extract.h"
#include "reward/item_reward.h"

namespace reward {
namespace {

class ChoiceReward : public ItemReward {
 public:
  explicit ChoiceReward(char last) : ItemReward("choice"), last_(last) {}

  std::string check_answer(const std::string& answer) override {
    if (gold_letter(answer)) return "";
    return fmt::format("the gold must be one letter from A to {}, such as B, (B), #### B or a box with one", last_);
  }

  std::string self_test() override {
    return check_examples(*this, {{"Both fit, but the answer is (B).", "B", Status::scored, 1},
                                  {"<answer>a</answer>", "B", Status::scored, 0},
                                  {"\\boxed{A or B}", "B", Status::scored, 0},
                                  {"A Boat", "B", Status::no_answer, 0}});
  }

 protected:
  Outcome score_one(const Item& item) const override {
    const auto gold = gold_letter(item.answer);
    if (!gold)
      return unscored(Status::not_applicable, fmt::format("the gold is no letter from A to {}", last_), "unreadable_gold");
    const auto text = after_thinking(item);
    auto place = last_box(text);
    if (!place) place = last_tag(text, "answer");
    const Choice choice = place ? read_choice(*place, last_) : find_choice(text, last_);
    if (choice.kind == Choice::Kind::letter)
      return choice.letter == *gold ? scored(1, "right", "right", choice.text) : scored(0, "wrong", "wrong", choice.text);
    if (choice.kind == Choice::Kind::several) return scored(0, "several letters", "several_letters", choice.text);
    if (place && !trim(*place).empty()) return scored(0, "not a letter", "not_a_letter", trim(*place));
    return no_answer("no letter in a box, in answer tags, after \"answer is\" or alone on the last line", "no_letter");
  }

 private:
  std::optional<char> gold_letter(std::string_view answer) const {
    auto part = after_hashes(answer);
    if (!part) part = last_box(answer);
    const Choice choice = read_choice(part ? *part : answer, last_);
    if (choice.kind != Choice::Kind::letter) return std::nullopt;
    return choice.letter;
  }

  char last_;
};

}  // namespace

std::unique_ptr<Reward> make_choice(const Options& options) {
  return std::make_unique<ChoiceReward>(options.text("last")[0]);
}

std::vector<OptionInfo> choice_options() {
  return {{"last", "J", "the last letter that there is", {"B", "C", "D", "E", "F", "G", "H", "I", "J"}}};
}

}  // namespace reward
