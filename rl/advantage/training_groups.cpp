#include "rl/advantage/training_groups.h"

#include <algorithm>
#include <map>

#include "rl/advantage/group_advantages.h"
#include "rl/evaluate.h"
#include "rl/evaluation/record.h"

namespace rl {
namespace {

// The entries of [[reward]] that make up a completion's reward.
struct Parts {
  std::vector<std::string> sums, gates;
  std::vector<double> weights;
  std::vector<reward::Settings> gate_settings;

  explicit Parts(const std::vector<reward::Settings>& rewards) {
    const auto labels = reward::part_labels(rewards);
    for (size_t i = 0; i < rewards.size(); ++i) {
      if (rewards[i].role == "sum") sums.push_back(labels[i]), weights.push_back(rewards[i].weight);
      if (rewards[i].role == "gate") gates.push_back(labels[i]), gate_settings.push_back(rewards[i]);
    }
  }

  std::vector<double> values_of(const reward::Outcome& outcome, const Problem& problem) const {
    bool open = true;
    for (size_t i = 0; i < gates.size(); ++i)
      if (reward::applies(gate_settings[i], problem.data_source, problem.dataset)) open = open && component(outcome, gates[i]) > 0;
    std::vector<double> values;
    for (const auto& label : sums) values.push_back(open ? component(outcome, label) : 0.0);
    return values;
  }

  static double component(const reward::Outcome& outcome, const std::string& label) {
    for (const auto& [name, value] : outcome.components)
      if (name == label) return value;
    return 0;
  }
};

bool cut_off(const ScoredSample& s) { return s.record.finish == rollout::FinishReason::length; }

bool is_member(const ScoredSample& s, const StageConfig& stage) {
  return s.outcome.has_value() && !(stage.filter.truncated == "drop" && cut_off(s));
}

bool is_trained(const ScoredSample& s, const StageConfig& stage) { return !(stage.filter.truncated == "mask" && cut_off(s)); }

// The record has a row a trained token, the sequence one a token.
kernels::KeptIds kept_of(const rollout::SampleRecord& record) {
  kernels::KeptIds kept;
  const kernels::KeptRows rows(record.kept);
  int64_t next = 0;
  for (const auto& run : record.trained) {
    kept.sizes.resize(static_cast<size_t>(run.first), 0);
    for (int64_t t = 0; t < run.length; ++t) rows.copy(next++, kept);
  }
  kept.sizes.resize(record.tokens.size(), 0);
  return kept;
}

TrainSequence sequence_of(const ScoredSample& sample, const StageConfig& stage) {
  const rollout::SampleRecord& record = sample.record;
  TrainSequence s;
  s.tokens = record.tokens;
  s.trained.assign(s.tokens.size(), 0);
  s.logprobs.assign(s.tokens.size(), 0.0f);
  s.routes = record.routes;
  if (!record.kept.empty()) s.kept = kept_of(record);
  s.versions.assign(s.tokens.size(), -1);
  size_t next = 0;
  for (const auto& run : record.trained) {
    s.drawn += run.length;
    for (int64_t t = run.first; t < run.first + run.length; ++t) {
      s.trained[t] = is_trained(sample, stage);
      s.versions[t] = record.policy_versions.empty() ? -1 : record.policy_versions.at(next);  // empty: the source names none
      s.logprobs[t] = record.logprobs.at(next++);
    }
  }
  s.sample = record.sample_index;
  s.reward = sample.outcome.value;
  return s;
}

// What tells the members of a group apart, by filter.metric.
class Marks {
 public:
  explicit Marks(const StageConfig& stage)
      : parts_(stage.rewards),
        by_accuracy_(stage.filter.metric == "accuracy"),
        by_part_(stage.advantage.combine == "normalize_then_sum") {
    const auto sets = stage.sets();
    const auto judges = judges_of(stage);
    for (size_t i = 0; i < sets.size(); ++i) judges_[sets[i].name] = judges[i];
  }

  std::vector<double> of(const reward::Outcome& outcome, const Problem& problem) const {
    if (by_accuracy_) return {is_right(outcome, judges_.at(problem.dataset)).value_or(false) ? 1.0 : 0.0};
    return by_part_ ? parts_.values_of(outcome, problem) : std::vector<double>{outcome.value};
  }

 private:
  Parts parts_;
  bool by_accuracy_, by_part_;
  std::map<std::string, std::string> judges_;  // by data set
};

GroupUse use_of(const Group& group, const StageConfig& stage, const Marks& marks) {
  const size_t least = stage.advantage.compares_within_group() ? 2 : 1;
  std::vector<std::vector<double>> members;
  bool any_trained = false, equal = true;
  for (const ScoredSample& s : group.samples) {
    if (!is_member(s, stage)) continue;
    any_trained = any_trained || is_trained(s, stage);
    members.push_back(marks.of(s.outcome, group.problem));
    equal = equal && members.back() == members.front();
  }
  if (members.size() < least || !any_trained) return GroupUse::none;
  return equal && members.size() > 1 ? GroupUse::equal : GroupUse::learns;
}

}  // namespace

GroupUse use_of(const Group& group, const StageConfig& stage) { return use_of(group, stage, Marks(stage)); }

TrainingGroups training_groups(const std::vector<Group>& groups, const StageConfig& stage) {
  const Parts parts(stage.rewards);
  const Marks marks(stage);
  TrainingGroups out;
  out.part_weights = parts.weights;
  for (const Group& group : groups) {
    const GroupUse use = use_of(group, stage, marks);
    if (group.left_out || use == GroupUse::none || (use == GroupUse::equal && stage.filter.zero_variance == "drop")) {
      ++out.dropped;
      continue;
    }
    TrainGroup train;
    train.group_id = group.samples[0].record.group_id;
    train.prompt = group.samples[0].record.prompt_tokens;
    for (const ScoredSample& s : group.samples) {
      if (train.prompt_routes.empty()) train.prompt_routes = s.record.prompt_routes;
      if (!is_member(s, stage)) continue;
      train.sequences.push_back(sequence_of(s, stage));
      train.sequences.back().parts = parts.values_of(s.outcome, group.problem);
    }
    out.groups.push_back(std::move(train));
  }
  return out;
}

}  // namespace rl
