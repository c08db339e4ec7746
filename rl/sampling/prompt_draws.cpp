#include "rl/sampling/prompt_draws.h"

#include <algorithm>

#include "kernels/rng.h"
#include "rl/evaluate.h"
#include "rl/evaluation/record.h"

namespace rl {
namespace {

// Apart from the steps of Purpose::data that number epochs, and from the mixture's.
constexpr uint64_t failure_step = (uint64_t{1} << 62) + 1;

}  // namespace

PromptDraws::PromptDraws(const Mixture& data, const StageConfig& stage, uint64_t seed)
    : data_(data), config_(stage.curriculum), seed_(seed), judges_(judges_of(stage)) {}

std::vector<PromptDraw> PromptDraws::next(SamplingState& state, int64_t count, const std::vector<PromptDraw>& asked) const {
  std::vector<PromptDraw> draws;
  std::vector<bool> all_asleep(data_.count(), false);
  std::vector<std::vector<double>> weights(data_.count());  // of the problems that the step has not asked
  for (int64_t i = 0; i < count; ++i) {
    const size_t s = data_.set_of(state.draws);
    SetState& set = state.sets.at(s);
    int64_t index = set.next;
    if (config_.kind == "pass_rate" && !all_asleep[s]) {
      const auto found = next_awake(set, s);
      all_asleep[s] = !found;
      index = set.next = found.value_or(set.next);
    }
    if (config_.kind == "failure") {
      if (weights[s].empty()) weights[s] = failure_weights(set, s, asked);
      index = pick(weights[s], state.draws);
      weights[s][static_cast<size_t>(index)] = 0;
      // The step has asked all of them: once more from the beginning.
      if (std::all_of(weights[s].begin(), weights[s].end(), [](double w) { return w == 0; })) weights[s].clear();
    }
    ++set.next;
    ++state.draws;
    draws.push_back({s, index});
  }
  return draws;
}

bool PromptDraws::asleep(const SetState& set, int64_t id, int64_t epoch) const {
  const auto found = set.prompts.find(id);
  if (found == set.prompts.end() || found->second.dropped_in < 0) return false;
  return config_.return_after_epochs == 0 || epoch - found->second.dropped_in <= config_.return_after_epochs;
}

// From set.next on; nothing: all rows of an epoch are dropped. They are then asked all the same: a run does not end by having
// learnt.
std::optional<int64_t> PromptDraws::next_awake(const SetState& set, size_t s) const {
  const Dataset& data = *data_.set(s).data;
  for (int64_t index = set.next; index < set.next + data.size(); ++index)
    if (!asleep(set, data.id_at(index), index / data.size())) return index;
  return std::nullopt;
}

std::vector<double> PromptDraws::failure_weights(const SetState& set, size_t s, const std::vector<PromptDraw>& asked) const {
  const Dataset& data = *data_.set(s).data;
  std::vector<double> weights(static_cast<size_t>(data.size()), 1.0);
  for (size_t i = 0; i < weights.size(); ++i) {
    const auto found = set.prompts.find(data.id_at(static_cast<int64_t>(i)));
    if (found != set.prompts.end()) weights[i] = std::max(config_.floor, 1 - found->second.pass_rate());
  }
  std::vector<double> left = weights;
  for (const PromptDraw& draw : asked)
    if (draw.set == s) left[static_cast<size_t>(draw.index)] = 0;
  return std::all_of(left.begin(), left.end(), [](double w) { return w == 0; }) ? weights : left;
}

int64_t PromptDraws::pick(const std::vector<double>& weights, int64_t draw) const {
  double at = 0;
  for (const double w : weights) at += w;
  at *= kernels::random_unit({.seed = seed_,
                              .purpose = kernels::Purpose::data,
                              .step = failure_step,
                              .group = static_cast<uint64_t>(draw),
                              .sample = 0,
                              .position = 0});
  size_t found = 0;  // of weight above 0, even if rounding carries `at` past the end
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0) continue;
    found = i;
    if (at < weights[i]) break;
    at -= weights[i];
  }
  return static_cast<int64_t>(found);
}

PromptDraws::Verdicts PromptDraws::verdicts_of(const Group& group) const {
  Verdicts verdicts;
  for (const ScoredSample& sample : group.samples) {
    const auto verdict = is_right(sample.outcome, judges_.at(static_cast<size_t>(group.problem.set)));
    verdicts.judged += verdict.has_value();
    verdicts.right += verdict.value_or(false);
  }
  return verdicts;
}

bool PromptDraws::is_judged(const Group& group) const { return verdicts_of(group).judged > 0; }

void PromptDraws::learn(SamplingState& state, const Group& group) const {
  if (config_.kind == "none") return;
  const Verdicts verdicts = verdicts_of(group);
  if (verdicts.judged == 0) return;
  const auto s = static_cast<size_t>(group.problem.set);
  SetState& set = state.sets.at(s);
  PromptRecord& record = set.prompts[group.problem.prompt_id];
  record.right = config_.decay * record.right + verdicts.right;
  record.judged = config_.decay * record.judged + verdicts.judged;
  ++record.visits;
  const double rate = record.pass_rate();
  const bool drop = config_.kind == "pass_rate" && record.visits >= config_.min_visits &&
                    (rate > config_.drop_solved_above || rate < config_.drop_failed_below);
  record.dropped_in = drop ? (set.next - 1) / data_.set(s).data->size() : -1;
}

void PromptDraws::append_metrics(Metrics& metrics, const SamplingState& state) const {
  if (config_.kind == "none") return;
  double asked = 0, dropped = 0, rate = 0;
  for (const SetState& set : state.sets)
    for (const auto& [unused, record] : set.prompts) {
      asked += 1;
      dropped += record.dropped_in >= 0;
      rate += record.pass_rate();
    }
  const auto rows = static_cast<double>(data_.size());
  metrics.emplace_back("curriculum/asked_share", asked / rows);
  if (asked > 0) metrics.emplace_back("curriculum/pass_rate", rate / asked);
  if (config_.kind == "pass_rate") metrics.emplace_back("curriculum/dropped_share", dropped / rows);
}

}  // namespace rl
