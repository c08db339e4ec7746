// What a run did, for people and for scripts: summary.json, the closing lines on the terminal, and the data of the report.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rl/best_checkpoint.h"
#include "rl/cost.h"

namespace rl {

// One evaluation on the held-back problems.
struct Evaluation {
  int64_t problems = 0, samples = 1;  // samples of each problem
  double accuracy = 0;                // share
  double standard_error = 0;          // of the accuracy
  double mean_length = 0;             // tokens, end token included
  double no_answer_share = 0, truncated_share = 0;
};

// Of held-back rows with completions, see rl/sft/held_out_loss.h.
struct HeldOutLoss {
  int64_t rows = 0, tokens = 0;  // learnt ones
  double loss = 0;               // nats a token
  double perplexity = 0;
  double token_accuracy = 0;     // share
};

struct StageSummary {
  std::string name, kind;
  int64_t steps = 0;
  int64_t tokens = 0;  // trained
  double seconds = 0;
  std::string rewards;  // what scored, with versions
  std::optional<Evaluation> greedy_before, greedy_after, sampled_before, sampled_after;
  std::optional<HeldOutLoss> loss_before, loss_after;
  Cost cost;            // evaluations and checkpoints included
  std::string stopped;  // why the stage ended early; empty: it did not
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
  std::string currency;  // of costs
  std::vector<StageSummary> stages;
  std::optional<BestCheckpoint> best;
  std::optional<ShownSample> before, after;  // the same problem before and after the last RL stage
};

// What a point of greedy accuracy cost, where it rose.
std::optional<Cost> cost_per_point(const StageSummary& stage);

std::string summary_json(const RunSummary& summary);
void write_summary(const std::string& file, const RunSummary& summary);

// The closing lines. `reward_curve`: the RL stage's reward at each step; drawn when it has two values or more.
std::string closing_text(const RunSummary& summary, const std::vector<double>& reward_curve, bool colour);

}  // namespace rl
