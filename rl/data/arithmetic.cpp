#include <fmt/core.h>
#include <fmt/ranges.h>

#include "rl/data/generators.h"

namespace rl {

Problem arithmetic_problem(const DataConfig& config, const kernels::RandomKey& key) {
  int64_t modulus = 1;
  for (int64_t i = 0; i < config.digits; ++i) modulus *= 10;

  Draws draws(key);
  std::vector<int64_t> terms;
  for (int64_t i = 0; i < config.terms; ++i) terms.push_back(draws.below(modulus));
  const bool worked = draws.unit() < config.worked_share;

  int64_t sum = terms[0];
  std::vector<std::string> steps;
  for (size_t i = 1; i < terms.size(); ++i) {
    const int64_t next = (sum + terms[i]) % modulus;
    steps.push_back(fmt::format("{}+{}={}", sum, terms[i], next));
    sum = next;
  }

  Problem problem;
  problem.question = fmt::format("{}=", fmt::join(terms, "+"));
  problem.answer = fmt::format("{}", sum);
  problem.completion =
      fmt::format("<think>{}</think><answer>{}</answer>", worked ? fmt::format("{}", fmt::join(steps, ";")) : "", sum);
  return problem;
}

}  // namespace rl
