// What a run did, for people and for scripts: summary.json, the closing lines on the terminal, and the data of the report.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rl {

// One evaluation on the held-back problems.
struct Evaluation {
  int64_t problems = 0, samples = 1;  // samples of each problem
  double accuracy = 0;                // share
  double standard_error = 0;          // of the accuracy
  double mean_length = 0;             // tokens, end token included
  double no_answer_share = 0, truncated_share = 0;
};

struct StageSummary {
  std::string name, kind;
  int64_t steps = 0;
  int64_t tokens = 0;  // trained
  double seconds = 0;
  std::string rewards;  // what scored, with versions
  std::optional<Evaluation> greedy_before, greedy_after, sampled_before, sampled_after;
};

// One completion shown to people.
struct ShownSample {
  std::string stage;  // when it was drawn: "before grpo", "after grpo"
  std::string prompt, completion, answer;
  double reward = 0;
  int64_t tokens = 0;
};

struct RunSummary {
  std::string name, config_file, output_dir;
  std::string model;    // one line: "deepseek_v3, 3 layers, width 128, 0.9M parameters"
  std::string machine;  // one line: "AMD EPYC 9R14, 2 threads, avx512"
  std::string version;
  int64_t seed = 0;
  double seconds = 0;   // whole run, evaluations included
  double peak_memory_mb = 0;
  bool interrupted = false;
  std::vector<StageSummary> stages;
  std::optional<ShownSample> before, after;  // the same problem before and after the last RL stage
};

std::string summary_json(const RunSummary& summary);
void write_summary(const std::string& file, const RunSummary& summary);

// The closing lines. `reward_curve`: the RL stage's reward at each step; drawn when it has two values or more.
std::string closing_text(const RunSummary& summary, const std::vector<double>& reward_curve, bool colour);

}  // namespace rl
