// `cosine`: a short right answer is worth more than a long one, and a long wrong one less bad than a short one.
//
//   value = end + (start - end) * (1 + cos(pi * min(L / Lmax, 1))) / 2
//
// L is the completion's length in tokens, Lmax is max_tokens; right: start 1.0, end 0.5; wrong: start -1.0, end -0.5.
//
// Source: Yeo et al., "Demystifying Long Chain-of-Thought Reasoning in LLMs", arXiv:2502.03373 (cosine reward), with the
// ends that open-r1 and TRL use. open-r1 counts characters and lets L exceed Lmax, where the cosine turns back; here, as
// in TRL, it stays at the end.

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "reward/builtins.h"
#include "reward/judged_length.h"

namespace reward {
namespace {

class CosineReward : public JudgedLengthReward {
 public:
  explicit CosineReward(const Options& options)
      : JudgedLengthReward("cosine", options),
        max_tokens_(options.whole("max_tokens", 1, int64_t{1} << 40)),
        right_{options.number("right_short", -1e6, 1e6), options.number("right_long", -1e6, 1e6)},
        wrong_{options.number("wrong_short", -1e6, 1e6), options.number("wrong_long", -1e6, 1e6)} {}

 protected:
  std::vector<double> values(const std::vector<Judged>& group) const override {
    std::vector<double> out;
    for (const auto& one : group) out.push_back(value(one));
    return out;
  }

  std::string check_values() const override {
    const auto got = values({{0, true}, {max_tokens_, true}, {0, false}, {2 * max_tokens_, false}});
    const std::vector<double> expected = {right_.start, right_.end, wrong_.start, wrong_.end};
    for (size_t i = 0; i < got.size(); ++i)
      if (got[i] != expected[i]) return fmt::format("cosine: end {} is {}, expected {}", i, got[i], expected[i]);
    return "";
  }

 private:
  struct Ends {
    double start, end;
  };

  double value(const Judged& one) const {
    const auto& [start, end] = one.right ? right_ : wrong_;
    const double share = std::min(1.0, static_cast<double>(one.tokens) / static_cast<double>(max_tokens_));
    if (share == 0) return start;  // exactly, whatever the ends are
    return end + (start - end) * (1 + std::cos(std::numbers::pi * share)) / 2;
  }

  int64_t max_tokens_;
  Ends right_, wrong_;
};

}  // namespace

std::unique_ptr<Reward> make_cosine(const Options& options) { return std::make_unique<CosineReward>(options); }

std::vector<OptionInfo> cosine_options() {
  auto options = JudgedLengthReward::options();
  options.insert(options.end(),
                 {{"max_tokens", "1024", "the length where the curve ends; set it to rollout.max_new_tokens", {}},
                  {"right_short", "1", "value of a right answer of no length", {}},
                  {"right_long", "0.5", "of a right one of max_tokens or more", {}},
                  {"wrong_short", "-1", "of a wrong one of no length", {}},
                  {"wrong_long", "-0.5", "of a wrong one of max_tokens or more", {}}});
  return options;
}

}  // namespace reward
