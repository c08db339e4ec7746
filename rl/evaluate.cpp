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

EvaluationResult evaluate(Collector& collector, const std::vector<Problem>& problems, const Ask& ask, const std::string& judge) {
  EvaluationResult result;
  result.groups = collector.run(problems, ask);
  Evaluation& e = result.numbers;
  e.problems = static_cast<int64_t>(problems.size());
  e.samples = ask.samples;
  std::vector<double> shares;
  double count = 0, length = 0, no_answer = 0, truncated = 0;
  for (const Group& group : result.groups) {
    double right = 0, scored = 0;
    for (const ScoredSample& s : group.samples) {
      count += 1;
      length += static_cast<double>(s.record.tokens.size());
      truncated += s.record.finish == rollout::FinishReason::length;
      no_answer += s.outcome.status == reward::Status::no_answer;
      const auto verdict = is_right(s.outcome, judge);
      scored += verdict.has_value();
      right += verdict.value_or(false);
    }
    if (scored > 0) shares.push_back(right / scored);
  }
  if (count == 0) return result;
  e.accuracy = mean(shares);
  e.standard_error = standard_error(shares);
  e.mean_length = length / count;
  e.no_answer_share = no_answer / count;
  e.truncated_share = truncated / count;
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
