// The math verifier: does this text give the gold's answer? Torch-free, re-entrant, no locale, no signals, no clock.
//
//   Verifier verifier("default");
//   Verdict v = verifier.verify("... so the answer is \\boxed{\\frac{2}{4}}.", {"1/2"});   // match
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reward/math/tree.h"

namespace reward::math {

// What became of one comparison.
enum class Status { match, mismatch, no_answer, answer_unreadable, gold_unreadable, undecided, limit };
const char* name_of(Status status);

// How the answer is found in the text (extract.h): strict: the last box, or <answer>; marked: also "answer is", "####" and
// bold text; lenient: also the last formula or number; whole: the text is the answer.
enum class Extraction { strict, marked, lenient, whole };

struct Verdict {
  Status status = Status::no_answer;
  double value = 0;           // 1 for match, else 0
  std::string reason;         // a fixed word for counting: "rational", "normal_form", "ball", "text", "too_deep", ...
  std::string extracted;      // the answer's text
  std::string answer, gold;   // the trees compared (of the gold that matched, or the first), as to_string writes them
  int boxes = 0;
};

class Verifier {
 public:
  // A profile of profile.h: default, math_verify, hendrycks, prm800k, gsm8k. Throws reward::Error for an unknown name.
  explicit Verifier(std::string_view profile = "default", Extraction extraction = Extraction::marked, Limits limits = {});
  // One gold of several is enough. The gold may be a bare answer, "#### 18", a box or a whole solution that ends in one.
  Verdict verify(std::string_view text, const std::vector<std::string>& golds) const;
  // Empty, or why this gold cannot be read.
  std::string gold_problem(std::string_view gold) const;
  // Two answers, no extraction: for votes among samples and for tests.
  Verdict compare(std::string_view answer, std::string_view gold) const;

 private:
  Conventions conventions_;
  Extraction extraction_;
  Limits limits_;
};

}  // namespace reward::math
