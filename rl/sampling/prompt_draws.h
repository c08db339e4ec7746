// Which problems are asked next.
//
//   curriculum.kind  none       the next of the data, in its order
//                    pass_rate  the next whose pass rate is neither above drop_solved_above nor below drop_failed_below; a dropped
//                               one is left out of the set's next return_after_epochs epochs and then asked again
//                    failure    problem j with probability w_j / sum of w, w_j = max(floor, 1 - pass rate of j), a problem never
//                               asked having w_j = 1, and none twice in a step while others are left: prioritised sampling of
//                               Kimi k1.5, arXiv:2501.12599, section 2.4.3 (sampling proportional to 1 - success rate); the
//                               floor is ours
//
// A problem's pass rate is R / N. Each time it is asked, R becomes decay * R + completions that were right, and N becomes
// decay * N + completions that were judged: with decay 0 it is that of the last group, with 1 that of all of them.
#pragma once

#include <optional>
#include <vector>

#include "rl/collect.h"
#include "rl/data/mixture.h"
#include "rl/metrics.h"
#include "rl/sampling/sampling_state.h"

namespace rl {

// The index-th problem of a set.
struct PromptDraw {
  size_t set = 0;
  int64_t index = 0;
  bool operator==(const PromptDraw&) const = default;
};

class PromptDraws {
 public:
  // Both outlive it.
  PromptDraws(const Mixture& data, const StageConfig& stage, uint64_t seed);

  // The next `count` problems; moves the state on. `asked`: what the step asked before.
  std::vector<PromptDraw> next(SamplingState& state, int64_t count, const std::vector<PromptDraw>& asked = {}) const;

  // Takes a group's verdicts into its problem's pass rate. No effect without a curriculum, or where no completion was judged.
  void learn(SamplingState& state, const Group& group) const;
  bool is_judged(const Group& group) const;  // a completion has a verdict

  // curriculum/*: shares of the rows of all sets.
  void append_metrics(Metrics& metrics, const SamplingState& state) const;

 private:
  struct Verdicts {
    double right = 0, judged = 0;  // completions
  };
  Verdicts verdicts_of(const Group& group) const;
  bool asleep(const SetState& set, int64_t id, int64_t epoch) const;
  std::optional<int64_t> next_awake(const SetState& set, size_t index) const;
  std::vector<double> failure_weights(const SetState& set, size_t index, const std::vector<PromptDraw>& asked) const;
  int64_t pick(const std::vector<double>& weights, int64_t draw) const;

  const Mixture& data_;
  CurriculumConfig config_;
  uint64_t seed_;
  std::vector<std::string> judges_;  // of each set, see judge_of
};

}  // namespace rl
