// `countdown`: 1 if an expression over the given numbers has the target's value.
//
// The gold is text: "numbers=3,5,7,25 target=42".

#include <fmt/core.h>

#include <algorithm>

#include "reward/builtins.h"
#include "reward/expression.h"
#include "reward/extract.h"
#include "reward/item_reward.h"

namespace reward {
namespace {

struct Puzzle {
  std::string problem;  // empty: read
  std::vector<Natural> numbers;
  Rational target;
};

bool take(std::string_view& text, std::string_view word) {
  if (text.substr(0, word.size()) != word) return false;
  text.remove_prefix(word.size());
  return true;
}

// 1 to 18 digits from the front.
std::optional<Natural> take_number(std::string_view& text) {
  size_t n = 0;
  while (n < text.size() && is_digit(text[n])) ++n;
  if (n == 0 || n > 18) return std::nullopt;
  const auto number = Natural::from_digits(text.substr(0, n));
  text.remove_prefix(n);
  return number;
}

Puzzle read_puzzle(std::string_view gold) {
  const auto bad = [] { return Puzzle{"the gold must read like \"numbers=3,5,7,25 target=42\", up to 64 numbers of up to 18"
                                      " digits", {}, {}}; };
  Puzzle puzzle;
  auto text = trim(gold);
  if (!take(text, "numbers=")) return bad();
  do {
    const auto number = take_number(text);
    if (!number || puzzle.numbers.size() == 64) return bad();
    puzzle.numbers.push_back(*number);
  } while (take(text, ","));
  if (text.empty() || !is_space(text[0])) return bad();
  text = trim(text);
  if (!take(text, "target=")) return bad();
  const bool negative = take(text, "-");
  const auto target = take_number(text);
  if (!target || !text.empty()) return bad();
  puzzle.target = {negative && !target->is_zero(), *target, Natural::from_digits("1")};
  return puzzle;
}

class CountdownReward : public ItemReward {
 public:
  explicit CountdownReward(bool use_all) : ItemReward("countdown"), use_all_(use_all) {}

  std::string check_answer(const std::string& answer) override { return read_puzzle(answer).problem; }

  std::string self_test() override {
    const std::string gold = "numbers=3,5,7,25 target=9";
    return check_examples(*this, {{"<answer>(25 + 3) / 7 + 5</answer>", gold, Status::scored, 1},
                                  {"<answer>(25 + 3) / 7 - 5</answer>", gold, Status::scored, 0},
                                  {"<answer>3 + 3 + 3</answer>", gold, Status::scored, 0},
                                  {"(25 + 3) / 7 + 5", gold, Status::no_answer, 0}});
  }

 protected:
  Outcome score_one(const Item& item) const override {
    const auto puzzle = read_puzzle(item.answer);
    if (!puzzle.problem.empty()) return unscored(Status::not_applicable, puzzle.problem, "unreadable_gold");
    const auto text = after_thinking(item);
    auto found = last_box(text);
    if (!found) found = last_tag(text, "answer");
    if (!found || trim(*found).empty()) return no_answer("no expression in a box or in answer tags", "no_expression");
    const auto verdict = judge(parse_expression(*found), puzzle);
    return scored(verdict.right() ? 1 : 0, verdict.detail, verdict.reason, trim(*found));
  }

 private:
  struct Verdict {
    std::string reason, detail;
    bool right() const { return reason == "right"; }
  };
  Verdict judge(const Expression& expression, const Puzzle& puzzle) const {
    if (!expression.value) return {"not_an_expression", "not an expression: " + expression.error};
    auto left = puzzle.numbers;
    for (const auto& number : expression.numbers) {
      const auto used = std::find(left.begin(), left.end(), number);
      if (used == left.end()) 
        return {"number_not_given", fmt::format("uses {} more often than it is given", number.to_string())};
      left.erase(used);
    }
    if (use_all_ && !left.empty()) return {"number_left", fmt::format("does not use {}", left[0].to_string())};
    if (expression.claimed && !(*expression.claimed == *expression.value))
      return {"false_claim", "is not what it says it equals"};
    if (*expression.value == puzzle.target) return {"right", "right"};
    return {"wrong", "wrong value"};
  }

  bool use_all_;
};

}  // namespace

std::unique_ptr<Reward> make_countdown(const Options& options) {
  return std::make_unique<CountdownReward>(options.flag("use_all"));
}

std::vector<OptionInfo> countdown_options() {
  return {flag_option("use_all", true, "each number exactly once; false: at most once")};
}

}  // namespace reward
