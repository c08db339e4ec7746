// The numbers of one evaluated suite. Formulas: rl/evaluation/statistics.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rl/evaluation/record.h"
#include "rl/evaluation/statistics.h"

namespace rl {

struct EvalMetric {
  std::string name;
  double value = 0;
  double standard_error = 0;         // over problems
  std::optional<Interval> interval;  // 95 %
  int64_t problems = 0;              // that the value is a mean of
  bool higher_is_better = true;
  const char* meaning = "";
};

struct SuiteMetrics {
  std::string suite;
  int64_t problems = 0, samples = 0;  // samples of each problem
  int64_t unscored = 0;               // samples without a verdict: the judge failed or the gold cannot be read
  double run_noise = 0;               // within_run_noise of avg@n
  std::vector<EvalMetric> metrics;

  const EvalMetric* find(const std::string& name) const;
};

struct MetricChoices {
  std::vector<int64_t> pass_at;  // beside the powers of two from 2 to n
  bool votes = false;
  uint64_t seed = 0;  // of the bootstrap
  int64_t resamples = 10000;
};

// Of n samples a problem:
//   avg@n       share of right samples, mean over problems (pass@1 by its other name); one sample: Wilson's interval, more: the
//               bootstrap's over problems (Wilson's where all problems have the same value)
//   pass@k      chance that k of the n samples hold a right one, over problems with at least k verdicts
//   cons@n      is the answer with the most votes right? See consensus().
//   no_answer, truncated, well_formed, unscored, verifier_limit: shares of the samples; mean_tokens, p95_tokens
// Samples without a verdict are left out of avg, pass and cons, and never count as wrong. Throws UsageError for a k above n.
SuiteMetrics suite_metrics(const std::string& suite, const std::vector<EvaluatedProblem>& problems, const MetricChoices& choices);

// Do two answers say the same? Equal text does; else the math verifier's default profile decides, in either direction.
bool same_answer(const std::string& a, const std::string& b);

// 1 if the most frequent answer is right, else 0. Answers are put into classes by same_answer with the class's first member,
// in the order of the samples; a class is right if its first member is. Samples without an answer or a verdict do not vote; no
// vote at all gives 0. A tie gives the mean over the tied classes: what picking one of them at random would give.
double consensus(const EvaluatedProblem& problem);

// Did the judge stop at one of its limits (size, depth, work, time) and not at a verdict about the answer?
bool hit_limit(const EvaluatedSample& sample);

}  // namespace rl
