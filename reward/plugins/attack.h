// Junk that knows nothing of the gold, to see whether a reward pays for it.
#pragma once

#include <string>
#include <vector>

#include "reward/reward.h"

namespace reward {

struct Junk {
  std::string name;        // "empty", "box spray", ...
  std::string completion;
};

// Empty text, tags and boxes without an answer, brackets that never close, lists of every likely answer at once, answers to
// nothing, bytes that are not UTF-8, a megabyte of one fragment, words that speak to the checker, programs that end before
// their test. Always the same.
std::vector<Junk> junk_inputs();

// Golds of the shapes that data sets have: numbers, expressions, texts, choices, puzzles, tests of programs.
std::vector<std::string> attack_golds();

struct Paid {
  std::string junk, completion, gold;
  double value = 0;
};
struct AttackReport {
  int64_t scored = 0, unscored = 0;     // pairs of junk and gold
  std::vector<std::string> golds;       // that the reward can read
  std::vector<Paid> paid;               // a value above 0
  std::vector<std::string> failures;    // "junk: detail" of infra_error and timeout, the first ten
};

// Scores every junk against every gold that check_answer() accepts. `timeout_ms`: of one call.
AttackReport attack(Reward& reward, int64_t timeout_ms);

}  // namespace reward
