// `length_kimi`: among the completions of one prompt, right ones gain by being short, wrong ones lose by being long.
//
//   lambda = 0.5 - (L - Lmin) / (Lmax - Lmin)
//   right: lambda        wrong: min(0, lambda)        0 for all if Lmin = Lmax
//
// L is a completion's length in tokens; Lmin and Lmax are taken over the group's completions that have a verdict.
//
// Source: Kimi k1.5, arXiv:2501.12599 (length penalty). It lies between -0.5 and 0.5 and is added to the answer's reward.
// The paper turns it on after a warm-up, because it slows learning at the start.

#include <fmt/core.h>

#include <algorithm>

#include "reward/builtins.h"
#include "reward/judged_length.h"

namespace reward {
namespace {

class LengthKimiReward : public JudgedLengthReward {
 public:
  explicit LengthKimiReward(const Options& options) : JudgedLengthReward("length_kimi", options) {}

 protected:
  std::vector<double> values(const std::vector<Judged>& group) const override {
    std::vector<double> out(group.size(), 0.0);
    if (group.empty()) return out;
    const auto shorter = [](const Judged& a, const Judged& b) { return a.tokens < b.tokens; };
    const auto [least, most] = std::minmax_element(group.begin(), group.end(), shorter);
    if (least->tokens == most->tokens) return out;
    for (size_t i = 0; i < group.size(); ++i) {
      const double lambda =
          0.5 - static_cast<double>(group[i].tokens - least->tokens) / static_cast<double>(most->tokens - least->tokens);
      out[i] = group[i].right ? lambda : std::min(0.0, lambda);
    }
    return out;
  }

  std::string check_values() const override {
    const auto got = values({{10, true}, {20, true}, {30, false}, {10, false}});
    const std::vector<double> expected = {0.5, 0.0, -0.5, 0.0};
    for (size_t i = 0; i < got.size(); ++i)
      if (got[i] != expected[i]) return fmt::format("length_kimi: value {} is {}, expected {}", i, got[i], expected[i]);
    return "";
  }
};

}  // namespace

std::unique_ptr<Reward> make_length_kimi(const Options& options) { return std::make_unique<LengthKimiReward>(options); }

std::vector<OptionInfo> length_kimi_options() { return JudgedLengthReward::options(); }

}  // namespace reward
