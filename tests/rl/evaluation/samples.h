// Evaluated problems made by hand.
#pragma once

#include <string>
#include <vector>

#include "rl/evaluation/record.h"

namespace eval_samples {

// One letter a sample: 'r' right, 'w' wrong, 'n' no answer, 'u' no verdict. Answers: "yes" when right, "no" when wrong.
inline rl::EvaluatedProblem problem(int64_t id, const std::string& letters) {
  rl::EvaluatedProblem out;
  out.doc_id = id;
  out.prompt = "question " + std::to_string(id);
  out.target = "yes";
  out.data_sha256 = "d1";
  for (const char letter : letters) {
    rl::EvaluatedSample s;
    s.index = static_cast<int64_t>(out.samples.size());
    s.tokens = 10 * (s.index + 1);
    s.status = letter == 'n' ? "no_answer" : letter == 'u' ? "infra_error" : "scored";
    s.extracted = letter == 'r' ? "yes" : letter == 'w' ? "no" : "";
    s.completion = "<p>I say " + s.extracted;
    if (letter != 'u') s.correct = letter == 'r';
    out.samples.push_back(s);
  }
  return out;
}

}  // namespace eval_samples
