// The report's tables of costs and of held-back losses.
#pragma once

#include <string>

#include "rl/report/summary.h"

namespace rl {

// A section of HTML with a row a stage and one for the run; empty when nothing was counted.
std::string costs_section(const RunSummary& summary);
// Loss, perplexity and share of tokens that are right, before and after; empty when no stage has them.
std::string losses_section(const RunSummary& summary);
// What ended early, and where the best model is: paragraphs, or empty.
std::string endings(const RunSummary& summary);

}  // namespace rl
