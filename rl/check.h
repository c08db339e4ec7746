// Everything about a run that can be checked without loading weights.
#pragma once

#include <string>
#include <vector>

#include "rl/config.h"

namespace rl {

struct CheckResult {
  std::vector<std::string> errors;    // "place: section.key: what is wrong. how to fix it", one line each
  std::vector<std::string> warnings;
  std::string report;                 // for people: model, stages, memory
};

// Device, model sizes, tokenizer, template, data lines, test sets in training data (rl/data/test_sets.h), claims to be
// another assistant (rl/data/identity.h), rewards and their self-tests, golds, prompt lengths, memory plan.
CheckResult check_run(const Config& config);

}  // namespace rl
