// `overlong`: a soft punishment for completions that come near the longest length.
//
//   value = factor *  0                          if L <= Lmax - Lcache
//                     (Lmax - Lcache - L) / Lcache  up to Lmax
//                    -1                          beyond
//
// L is the completion's length in tokens, Lmax is max_tokens, Lcache is cache_tokens, or cache_share of Lmax.
//
// Source: DAPO, arXiv:2503.14476, Eq. 13 (soft overlong punishment); factor and defaults as in its recipe in verl
// (20480 tokens, a cache of 4096, factor 1.0).

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "reward/builtins.h"
#include "reward/item_reward.h"

namespace reward {
namespace {

class OverlongReward : public ItemReward {
 public:
  OverlongReward(int64_t max_tokens, int64_t cache_tokens, double factor)
      : ItemReward("overlong"), max_tokens_(max_tokens), cache_tokens_(cache_tokens), factor_(factor) {}

  std::string check_answer(const std::string&) override { return ""; }

  std::string self_test() override {
    const bool sound =
        penalty(max_tokens_ - cache_tokens_) == 0 && penalty(max_tokens_) == -1 && penalty(max_tokens_ + 1) == -1;
    return sound ? ""
                 : fmt::format("overlong: the penalty at {} tokens is {}, expected -1", max_tokens_, penalty(max_tokens_));
  }

 protected:
  Outcome score_one(const Item& item) const override {
    if (!knows_tokens(item))
      return unscored(Status::not_applicable, "how many tokens the completion has is not known", "no_token_count");
    const double value = penalty(item.completion_tokens);
    return scored(value == 0 ? 0 : factor_ * value, fmt::format("{} tokens", item.completion_tokens),
                  value == 0 ? "short_enough" : "overlong");
  }

 private:
  double penalty(int64_t tokens) const {
    const int64_t free = max_tokens_ - cache_tokens_;
    if (tokens <= free) return 0;
    if (tokens > max_tokens_) return -1;
    return static_cast<double>(free - tokens) / static_cast<double>(cache_tokens_);
  }

  int64_t max_tokens_, cache_tokens_;
  double factor_;
};

}  // namespace

std::unique_ptr<Reward> make_overlong(const Options& options) {
  const auto max_tokens = options.whole("max_tokens", 1, int64_t{1} << 40);
  const double share = options.number("cache_share", 0, 1);
  const int64_t cache = share > 0 ? std::max<int64_t>(1, std::llround(share * static_cast<double>(max_tokens)))
                                  : options.whole("cache_tokens", 1, max_tokens);
  return std::make_unique<OverlongReward>(max_tokens, cache, options.number("factor", 0, 1e6));
}

std::vector<OptionInfo> overlong_options() {
  return {{"max_tokens", "20480", "the longest length; in a run's settings rollout.max_new_tokens when left out", {}},
          {"cache_tokens", "4096", "the last tokens before it, over which the value falls from 0 to -factor", {}},
          {"cache_share", "0", "above 0: the same as a share of max_tokens, in place of cache_tokens", {}},
          {"factor", "1", "the punishment at full length", {}}};
}

}  // namespace reward
