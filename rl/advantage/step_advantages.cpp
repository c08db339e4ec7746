#include "rl/advantage/step_advantages.h"

#include "kernels/error.h"
#include "rl/advantage/group_advantages.h"
#include "rl/loss/kl.h"

namespace rl {
namespace {

using Values = std::vector<std::vector<double>>;  // [group][sequence]

// KL value of each token of the old policy to the reference; 0 where not trained.
std::vector<double> kl_values(const TrainSequence& s, const KlConfig& kl) {
  const std::vector<float>& old = s.old_logprobs.empty() ? s.logprobs : s.old_logprobs;
  if (s.reference_logprobs.size() != s.tokens.size())
    kernels::fail("advantage: a completion of {} tokens has {} reference log-probabilities.", s.tokens.size(),
                  s.reference_logprobs.size());
  std::vector<double> values(s.tokens.size(), 0.0);
  for (size_t t = 0; t < values.size(); ++t)
    if (s.trained[t]) values[t] = kl_value(kl.value, double(old[t]) - double(s.reference_logprobs[t]));
  return values;
}

Moments moments_of_all(const Values& values) {
  std::vector<double> all;
  for (const auto& group : values) all.insert(all.end(), group.begin(), group.end());
  return moments_of(all);
}

// Adds weight * the advantages of these rewards to each sequence's.
void add_group_advantages(std::vector<TrainGroup>& groups, const Values& rewards, double weight, const AdvantageConfig& config) {
  const Moments batch = moments_of_all(rewards);
  for (size_t g = 0; g < groups.size(); ++g) {
    std::vector<double> lengths;
    for (const auto& s : groups[g].sequences) lengths.push_back(static_cast<double>(s.drawn));
    const auto advantages = group_advantages(rewards[g], config, lengths, batch);
    for (size_t i = 0; i < advantages.size(); ++i) groups[g].sequences[i].advantage += weight * advantages[i];
  }
}

template <typename Reward>
Values gathered(const std::vector<TrainGroup>& groups, Reward reward) {
  Values values;
  for (const auto& g : groups) {
    values.emplace_back();
    for (const auto& s : g.sequences) values.back().push_back(reward(s));
  }
  return values;
}

double reward_after_kl(const TrainSequence& s, const KlConfig& kl) {
  if (kl.coef == 0 || kl.where != "reward") return s.reward;
  double sum = 0;
  for (const double value : kl_values(s, kl)) sum += value;
  return s.reward - kl.coef * sum;
}

void subtract_kl_to_go(TrainSequence& s, const KlConfig& kl) {
  const auto values = kl_values(s, kl);
  s.advantages.assign(values.size(), 0.0);
  double to_go = 0;
  for (size_t t = values.size(); t-- > 0;) {
    to_go += values[t];
    s.advantages[t] = s.advantage - kl.coef * to_go;
  }
}

// Calls change(value) for each advantage, once a completion or once a trained token.
template <typename Visit>
void for_each_advantage(std::vector<TrainGroup>& groups, bool by_token, Visit visit) {
  for (auto& g : groups)
    for (auto& s : g.sequences) {
      if (!by_token) visit(s.advantage);
      for (size_t t = 0; by_token && t < s.tokens.size(); ++t)
        if (s.trained[t]) visit(s.advantages[t]);
    }
}

void whiten(std::vector<TrainGroup>& groups, const AdvantageConfig& config) {
  const bool by_token = config.whiten == "tokens";
  for (auto& g : groups)
    for (auto& s : g.sequences)
      if (by_token && s.advantages.empty()) s.advantages.assign(s.tokens.size(), s.advantage);
  std::vector<double> all;
  for_each_advantage(groups, by_token, [&](double a) { all.push_back(a); });
  const Moments m = moments_of(all);
  const double divisor = (config.std == "unbiased" ? m.unbiased_std : m.population_std) + config.eps;
  for_each_advantage(groups, by_token, [&](double& a) { a = a == m.mean ? 0.0 : (a - m.mean) / divisor; });
}

}  // namespace

void assign_advantages(std::vector<TrainGroup>& groups, const AdvantageConfig& config, const KlConfig& kl,
                       const std::vector<double>& weights) {
  for (auto& g : groups)
    for (auto& s : g.sequences) s.advantage = 0, s.advantages.clear();
  if (config.combine == "normalize_then_sum") {
    for (size_t p = 0; p < weights.size(); ++p)
      add_group_advantages(groups, gathered(groups, [p](const TrainSequence& s) { return s.parts.at(p); }), weights[p], config);
  } else {
    add_group_advantages(groups, gathered(groups, [&](const TrainSequence& s) { return reward_after_kl(s, kl); }), 1.0, config);
  }
  if (kl.coef != 0 && kl.where == "token_reward")
    for (auto& g : groups)
      for (auto& s : g.sequences) subtract_kl_to_go(s, kl);
  if (config.whiten != "off") whiten(groups, config);
}

}  // namespace rl
