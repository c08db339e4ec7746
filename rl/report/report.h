// report.html: the run on one page. One file, no script, nothing loaded from anywhere; light and dark; fits a phone.
#pragma once

#include <string>
#include <vector>

#include "rl/metrics.h"
#include "rl/report/summary.h"

namespace rl {

// `config_toml`: the resolved config, shown folded. Charts follow the `chart` column of the metric table, a section a stage.
// `more`: further sections, as report_samples.h makes them.
std::string report_html(const RunSummary& summary, const std::vector<MetricsLine>& metrics, const std::string& config_toml,
                        const std::string& more = "");

// Reads DIR/metrics.jsonl, the newest of DIR/rollouts and DIR/events.jsonl, and writes DIR/report.html.
void write_report(const std::string& directory, const RunSummary& summary, const std::string& config_toml);

// The values of one metric in a stage, in the order of the lines.
std::vector<double> metric_of(const std::vector<MetricsLine>& metrics, const std::string& stage, const std::string& name);

}  // namespace rl
