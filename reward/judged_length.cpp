#include "reward/judged_length.h"

#include <fmt/core.h>

#include "reward/item_reward.h"

namespace reward {

JudgedLengthReward::JudgedLengthReward(std::string name, const Options& options) : name_(std::move(name)) {
  Settings settings;
  settings.name = options.text("of");
  settings.options = options.under("of_");
  judge_ = make_reward(settings);
  if (dynamic_cast<JudgedLengthReward*>(judge_.get()))
    throw Error(
        fmt::format("reward \"{}\": option of is \"{}\", which asks another reward itself. Name the one that knows"
                    " right from wrong, such as math.",
                    name_, settings.name));
}

std::vector<OptionInfo> JudgedLengthReward::options() {
  return {{"of", "math", "the built-in reward that says right (1 or more) or wrong", {}},
          {"of_*", "", "an option of that reward: of_extraction = \"strict\" is extraction = \"strict\"", {}}};
}

std::vector<Outcome> JudgedLengthReward::score(const std::vector<Item>& items,
                                               std::chrono::steady_clock::time_point deadline) {
  auto outcomes = judge_->score(items, deadline);
  if (outcomes.size() != items.size())
    throw Error(
        fmt::format("{}: {} returned {} outcomes for {} items", name_, judge_->name(), outcomes.size(), items.size()));
  for (size_t begin = 0; begin < items.size();) {
    std::vector<size_t> members;
    std::vector<Judged> group;
    size_t i = begin;
    for (; i < items.size() && items[i].group_id == items[begin].group_id; ++i) {
      if (!outcomes[i].has_value()) continue;
      if (!knows_tokens(items[i])) {
        outcomes[i] = unscored(Status::not_applicable, "how many tokens the completion has is not known", "no_token_count");
        continue;
      }
      members.push_back(i);
      group.push_back({items[i].completion_tokens, outcomes[i].value >= 1});
    }
    const auto scores = values(group);
    for (size_t m = 0; m < members.size(); ++m) {
      outcomes[members[m]].value = scores[m];
      outcomes[members[m]].components.clear();
      outcomes[members[m]].reason = group[m].right ? "right" : "wrong";
      outcomes[members[m]].detail = fmt::format("{}, {} tokens", group[m].right ? "right" : "wrong", group[m].tokens);
    }
    begin = i;
  }
  return outcomes;
}

std::string JudgedLengthReward::self_test() {
  const auto judge = judge_->self_test();
  return judge.empty() ? check_values() : judge;
}

}  // namespace reward
