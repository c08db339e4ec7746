// `math`: 1 if the completion's answer equals the gold, as the verifier in verify.h sees it.

#include <nlohmann/json.hpp>

#include "reward/builtins.h"
#include "reward/extract.h"
#include "reward/item_reward.h"
#include "reward/math/profile.h"
#include "reward/math/verify.h"

namespace reward {
namespace {

using math::Extraction;

Extraction extraction_of(const std::string& name) {
  if (name == "strict") return Extraction::strict;
  if (name == "lenient") return Extraction::lenient;
  return name == "whole" ? Extraction::whole : Extraction::marked;
}

// The gold is one answer, or a JSON list of strings: several, of which one is enough.
std::vector<std::string> golds_of(const std::string& answer) {
  const auto text = trim(answer);
  if (text.substr(0, 1) != "[" || text.back() != ']') return {answer};
  const auto list = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!list.is_array() || list.empty()) return {answer};
  std::vector<std::string> golds;
  for (const auto& gold : list) {
    if (!gold.is_string()) return {answer};
    golds.push_back(gold.get<std::string>());
  }
  return golds;
}

class MathReward : public ItemReward {
 public:
  MathReward(const std::string& profile, Extraction extraction)
      : ItemReward("math"), verifier_(profile, extraction), extraction_(extraction) {}

  std::string check_answer(const std::string& answer) override {
    for (const auto& gold : golds_of(answer))
      if (auto problem = verifier_.gold_problem(gold); !problem.empty()) return problem;
    return "";
  }

  std::string self_test() override {
    if (extraction_ == Extraction::whole)
      return check_examples(*this, {{" 18 ", "18", Status::scored, 1},
                                    {"19", "18", Status::scored, 0},
                                    {"", "7", Status::no_answer, 0}});
    return check_examples(*this, {{"so it is \\boxed{\\frac{1}{2}}.", "\\frac12", Status::scored, 1},
                                  {"<think>7</think><answer>8</answer>", "7", Status::scored, 0},
                                  {"I do not know.", "7", Status::no_answer, 0}});
  }

 protected:
  Outcome score_one(const Item& item) const override {
    const auto verdict = verifier_.verify(after_thinking(item), golds_of(item.answer));
    if (verdict.status == math::Status::gold_unreadable)
      return unscored(Status::not_applicable, "the gold answer cannot be read: " + verdict.reason, verdict.reason);
    if (verdict.status == math::Status::no_answer) return no_answer("no answer: " + verdict.reason, verdict.reason);
    const std::string detail = std::string(name_of(verdict.status)) + (verdict.reason.empty() ? "" : ": " + verdict.reason);
    const bool by_status = verdict.reason.empty() || verdict.status == math::Status::limit;
    const std::string reason = by_status ? name_of(verdict.status) : verdict.reason;
    return scored(verdict.value, detail, reason, verdict.extracted);
  }

 private:
  math::Verifier verifier_;
  Extraction extraction_;
};

}  // namespace

std::unique_ptr<Reward> make_math(const Options& options) {
  return std::make_unique<MathReward>(options.text("profile"), extraction_of(options.text("extraction")));
}

std::vector<OptionInfo> math_options() {
  return {{"profile", "default", "conventions where verifiers disagree, see reward/math/profile.h", math::profile_names()},
          {"extraction", "marked",
           "strict: the last \\boxed or <answer>; marked: also \"answer is\", \"####\", **bold**; lenient: also the last formula"
           " or number; whole: the completion is the answer",
           {"strict", "marked", "lenient", "whole"}}};
}

}  // namespace reward
