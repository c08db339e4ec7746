#include "rl/advantage/training_groups.h"

#include <algorithm>

#include "rl/advantage/group_advantages.h"

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

  std::vector<double> values_of(const reward::Outcome& outcome, const std::string& data_source) const {
    bool open = true;
    for (size_t i = 0; i < gates.size(); ++i)
      if (reward::applies(gate_settings[i], data_source)) open = open && component(outcome, gates[i]) > 0;
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

TrainSequence sequence_of(const rollout::SampleRecord& record) {
  TrainSequence s;
  s.tokens = record.tokens;
  s.trained.assign(s.tokens.size(), 0);
  s.logprobs.assign(s.tokens.size(), 0.0f);
  s.routes = record.routes;
  if (!record.kept.empty()) s.kept = kept_of(record);
  s.versions.assign(s.tokens.size(), -1);
  size_t next = 0;
  for (const auto& run : record.trained)
    for (int64_t t = run.first; t < run.first + run.length; ++t) {
      s.trained[t] = 1;
      s.versions[t] = record.policy_versions.at(next);
      s.logprobs[t] = record.logprobs.at(next++);
    }
  return s;
}

bool all_equal(const TrainGroup& group, const AdvantageConfig& config) {
  const TrainSequence& first = group.sequences.front();
  return std::all_of(group.sequences.begin(), group.sequences.end(), [&](const TrainSequence& s) {
    return config.combine == "normalize_then_sum" ? s.parts == first.parts : s.reward == first.reward;
  });
}

}  // namespace

TrainingGroups training_groups(const std::vector<Group>& groups, const StageConfig& stage) {
  const Parts parts(stage.rewards);
  const size_t least = stage.advantage.compares_within_group() ? 2 : 1;
  TrainingGroups out;
  out.part_weights = parts.weights;
  for (const Group& group : groups) {
    TrainGroup train;
    train.group_id = group.samples[0].record.group_id;
    train.prompt = group.samples[0].record.prompt_tokens;
    for (const auto& s : group.samples) {
      if (train.prompt_routes.empty()) train.prompt_routes = s.record.prompt_routes;
      if (!s.outcome.has_value()) continue;
      train.sequences.push_back(sequence_of(s.record));
      train.sequences.back().reward = s.outcome.value;
      train.sequences.back().parts = parts.values_of(s.outcome, group.problem.data_source);
    }
    const bool small = train.sequences.size() < least;
    if (small || (train.sequences.size() > 1 && stage.filter.zero_variance == "drop" && all_equal(train, stage.advantage))) {
      ++out.dropped;
      continue;
    }
    out.groups.push_back(std::move(train));
  }
  return out;
}

}  // namespace rl
