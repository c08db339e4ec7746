// `random`: 1 with a fixed probability, whatever the completion says. A control: what a run gains with it, it did not learn
// from its reward.
//
//   value = 1 if u(seed, prompt, group, sample) < share, else 0
//
// u is uniform in [0, 1) and follows from its four numbers alone, so a run repeats: counter-based, by the mixing function
// of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). A prompt drawn again has a new group, and so new values.
//
// Source of the control: Shao et al., "Spurious Rewards", arXiv:2506.10947.

#include <fmt/core.h>

#include "reward/builtins.h"
#include "reward/item_reward.h"

namespace reward {
namespace {

uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

double unit(uint64_t seed, const Item& item) {
  uint64_t x = mix(seed);
  for (const int64_t part : {item.prompt_id, item.group_id, item.sample_index}) x = mix(x ^ static_cast<uint64_t>(part));
  return static_cast<double>(x >> 11) * 0x1p-53;
}

class RandomReward : public ItemReward {
 public:
  RandomReward(int64_t seed, double share) : ItemReward("random"), seed_(static_cast<uint64_t>(seed)), share_(share) {}

  std::string check_answer(const std::string&) override { return ""; }

  // SplitMix64 from state 0 gives this number first.
  std::string self_test() override {
    return mix(0) == 0xe220a8397b1dcdafu ? "" : "random: the generator gives other numbers";
  }

 protected:
  Outcome score_one(const Item& item) const override { return scored(unit(seed_, item) < share_ ? 1 : 0, "random", "random"); }

 private:
  uint64_t seed_;
  double share_;
};

}  // namespace

std::unique_ptr<Reward> make_random(const Options& options) {
  return std::make_unique<RandomReward>(options.whole("seed", 0, int64_t{1} << 62), options.number("share", 0, 1));
}

std::vector<OptionInfo> random_options() {
  return {{"seed", "0", "other seeds, other values", {}}, {"share", "0.5", "the probability of 1", {}}};
}

}  // namespace reward
