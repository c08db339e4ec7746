// The conventions of well-known verifiers, by name. Where two of them disagree on what is equal, a profile decides.
//
//   default      mathematics, and the habits of data sets that change no value: units and degrees may be left out, 28% is 0.28
//   math_verify  huggingface/Math-Verify 0.9, src/math_verify/grader.py: as default, but a decimal on one side is compared
//                after rounding to 6 digits, and 28% may be 0.28 or 28
//   hendrycks    hendrycks/math, modeling/math_equivalence.py: equal strings after layout is taken away
//   prm800k      openai/prm800k, prm800k/grading/grader.py: fractions must be reduced as the gold is, the percent sign is
//                dropped, tuples and intervals keep their brackets, nothing is solved
//   gsm8k        openai/grade-school-math and lm-evaluation-harness, tasks/gsm8k: one number; signs of money and percent
//                are dropped, no rounding
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reward/math/tree.h"

namespace reward::math {

// Throws reward::Error for an unknown name, with the nearest known one.
Conventions conventions_of(std::string_view profile);
std::vector<std::string> profile_names();

}  // namespace reward::math
