#include "rl/evaluate.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "rl/evaluation/record.h"
#include "rl/evaluation/statistics.h"

namespace rl {
namespace {

constexpr std::array<std::string_view, 10> style_rewards = {"format",     "tag_count", "length_kimi", "cosine", "overlong",
                                                            "repetition", "language",  "random",      "constant", "length"};

}  // namespace

std::string judge_of(const std::vector<reward::Settings>& rewards) {
  for (const auto& settings : rewards)
    if (std::find(style_rewards.begin(), style_rewards.end(), settings.name) == style_rewards.end()) return settings.name;
  return "";
}

std::vector<std::string> judges_of(const StageConfig& stage) {
  std::vector<std::string> judges;
  for (const DatasetConfig& set : stage.sets()) {
    auto rewards = stage.rewards;
    std::erase_if(rewards, [&](const reward::Settings& r) { return !reward::applies_to_set(r, set.name); });
    judges.push_back(judge_of(rewards));
  }
  return judges;
}

Evaluation evaluation_of(const std::vector<Group>& groups, const std::vector<std::string>& judges, int64_t set) {
  Evaluation e;
  std::vector<double> shares;
  double count = 0, length = 0, no_answer = 0, truncated = 0;
  for (const Group& group : groups) {
    if (set >= 0 && group.problem.set != set) continue;
    ++e.problems;
    e.samples = static_cast<int64_t>(group.samples.size());
    double right = 0, scored = 0;
    for (const ScoredSample& s : group.samples) {
      count += 1;
      length += static_cast<double>(s.record.tokens.size());
      truncated += s.record.finish == rollout::FinishReason::length;
      no_answer += s.outcome.status == reward::Status::no_answer;
      const auto verdict = is_right(s.outcome, judges.at(static_cast<size_t>(group.problem.set)));
      scored += verdict.has_value();
      right += verdict.value_or(false);
    }
    if (scored > 0) shares.push_back(right / scored);
  }
  if (count == 0) return e;
  e.accuracy = mean(shares);
  e.standard_error = standard_error(shares);
  e.mean_length = length / count;
  e.no_answer_share = no_answer / count;
  e.truncated_share = truncated / count;
  return e;
}

EvaluationResult evaluate(Collector& collector, const std::vector<Prompt>& prompts, const Ask& ask, const std::vector<std::string>& judges) {
  EvaluationResult result;
  result.groups = collector.run(prompts, ask);
  result.numbers = evaluation_of(result.groups, judges);
  return result;
}

ShownSample shown(const Group& group, size_t sample, const std::string& stage) {
  const ScoredSample& s = group.samples.at(sample);
  ShownSample out;
  out.stage = stage;
  out.prompt = group.problem.question;
  out.completion = s.text;
  out.answer = group.problem.answer;
  out.reward = s.outcome.has_value() ? s.outcome.value : 0.0;
  out.tokens = static_cast<int64_t>(s.record.tokens.size());
  return out;
}

}  // namespace rl
