// The labelled cases of tests/reward/math/cases/*.jsonl, one a line:
//   {"id", "prediction", "gold": text or [texts], "match": true or false, "why"?, "profile"?, "extraction"?, "one_way"?}
// Without "extraction" the prediction is a bare answer; otherwise it is a completion, read with that mode. "one_way": gold and
// answer cannot change places, because the gold says how the answer is read.
#pragma once

#include <string>
#include <vector>

#include "reward/math/verify.h"

namespace labelled {

struct Case {
  std::string id, category;  // the category is the file's name
  std::string prediction;
  std::vector<std::string> golds;
  bool match = false;
  std::string why, profile = "default", extraction;
  bool one_way = false;

  bool bare() const { return extraction.empty(); }
};

// In the order of the files' names. Throws std::runtime_error, with file and line, for a line that is no case.
std::vector<Case> read_cases(const std::string& folder);

struct Gold {
  std::string set, text;
};
std::vector<Gold> read_golds(const std::string& file);  // cases/golds.txt

reward::math::Extraction extraction_of(const std::string& name);  // "" is whole
reward::math::Verdict verdict_of(const Case& c);

// One line for people: id, label, prediction, golds, both trees, status, reason and why.
std::string describe(const Case& c, const reward::math::Verdict& v);

// A dozen answers of 16 KiB: towers, nests, runs of braces. None of them is 7.
std::vector<std::string> large_inputs();

// Adds 1 to the last run of ASCII digits: "1/29" gives "1/30". Empty if there is no digit.
std::string last_digit_raised(const std::string& text);

}  // namespace labelled
