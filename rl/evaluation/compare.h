// Two evaluations of the same problems, problem by problem.
#pragma once

#include <string>
#include <vector>

#include "rl/evaluation/record.h"
#include "rl/evaluation/statistics.h"

namespace rl {

struct SuiteComparison {
  std::string suite;
  double a = 0, b = 0;             // share right, mean over the problems that both have a verdict on
  int64_t only_a = 0, only_b = 0;  // problems that are left out: the other lacks them, or a verdict on them
  bool same_prompts = true;
  PairedComparison pairs;
};

// Throws UsageError when the two come from different data files (sha256).
SuiteComparison compare_suites(const std::string& suite, const std::vector<EvaluatedProblem>& a,
                               const std::vector<EvaluatedProblem>& b);

// The table of all suites that both folders have. Throws UsageError for a folder that holds no finished evaluation, and when
// no suite is in both.
std::string comparison_text(const std::string& folder_a, const std::string& folder_b);

}  // namespace rl
