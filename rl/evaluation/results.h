// What one evaluation says: results_DATE.json in lm-eval's shape, and a Markdown table.
//
// lm-eval's keys: results (suite -> "metric,none" and "metric_stderr,none"), group_subtasks, configs, versions, n-shot,
// higher_is_better, n-samples, config, date, task_hashes and the model's names. All that is ours stands under "ponder": data file
// and sha256, checkpoint_id, intervals, noise within the run, settings, speed.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "rl/evaluation/metrics.h"
#include "rl/evaluation/suite.h"

namespace rl {

struct SuiteResult {
  Suite suite;
  std::string data_file, data_sha256;
  std::string template_style, wording;  // how its problems were asked
  int64_t rows = 0;                     // of the suite; fewer were asked if there was a limit
  std::vector<std::string> notes;       // for people: another data file than the suite's, golds that cannot be read, cut prompts
  SuiteMetrics metrics;
  std::vector<EvaluatedProblem> problems;
  std::string samples_file;
};

struct EvalRun {
  std::string date, model, model_name, checkpoint_id, version, dtype, system;
  double begun = 0;  // seconds since 1970
  int64_t samples = 1, limit = 0, seed = 0, max_positions = 0;
  double seconds = 0;  // of this process; 0 when nothing was left to do
  int64_t sampled_tokens = 0;
  nlohmann::ordered_json sampling;  // temperature, top_p, top_k
  nlohmann::ordered_json settings;  // as in eval.json
  std::vector<SuiteResult> suites;
};

nlohmann::ordered_json results_json(const EvalRun& run);

// Markdown, columns padded so that it reads well in a terminal: suite, metric, value, standard error, interval, problems.
std::string results_table(const EvalRun& run);
// "gsm8k: 200 of 1319 problems × 4 samples, template chatml, configs/data/gsm8k/test.jsonl (sha256 3730d312f6e3)", one line a
// suite, and notes.
std::string results_heading(const EvalRun& run);

// Rows of cells as a Markdown table, padded; the first row is the head. `right`: columns that are numbers.
std::string markdown_table(const std::vector<std::vector<std::string>>& rows, const std::vector<bool>& right);

// unscored and verifier_limit stand in tables only when there are any; results_json always has them.
bool worth_a_row(const EvalMetric& metric);

std::string metric_text(const EvalMetric& metric, double value);  // shares with four decimals, tokens with one

}  // namespace rl
