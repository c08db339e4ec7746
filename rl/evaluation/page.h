// report.html of an evaluation: its numbers, and every sample to read. One file, nothing loaded from anywhere; light and dark.
//
// The samples lie in the page as JSON and are shown a page at a time by a small script: filter by verdict, suite and words.
#pragma once

#include <string>

#include "rl/evaluation/results.h"

namespace rl {

// Holds whole problems, in order, up to about `sample_bytes` of text; says so when that leaves some out.
std::string evaluation_page(const EvalRun& run, int64_t sample_bytes = int64_t{24} << 20);

}  // namespace rl
