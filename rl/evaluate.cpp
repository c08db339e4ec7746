#include "rl/evaluate.h"

#include <cmath>

#include "rl/advantage.h"

namespace rl {

EvaluationResult evaluate(Collector& collector, const std::vector<Problem>& problems, const Ask& ask) {
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
      if (!s.outcome.has_value()) continue;
      scored += 1;
      right += s.outcome.status == reward::Status::scored && s.outcome.value >= 1.0;
    }
    if (scored > 0) shares.push_back(right / scored);
  }
  if (count == 0) return result;
  const Moments m = moments_of(shares);
  e.accuracy = m.mean;
  e.standard_error = shares.size() > 1 ? m.unbiased_std / std::sqrt(static_cast<double>(shares.size())) : 0.0;
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
