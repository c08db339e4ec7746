// The samples of the report: a step's completions coloured by advantage, its lengths and reward components, and the events of
// the run.
#pragma once

#include <string>
#include <vector>

#include "rl/event_log.h"
#include "rl/rollouts/files.h"

namespace rl {

// Sections of HTML. Of the last step that was written to rollouts/; empty when there is none.
std::string samples_section(const std::vector<std::vector<DumpedSample>>& groups, const std::string& stage, int64_t step);
std::string events_section(const std::vector<Event>& events);

// Bars of how many of these counts (whole numbers) fall in each of up to 24 equal ranges.
std::string svg_histogram(const std::vector<double>& values, const std::string& unit);

}  // namespace rl
