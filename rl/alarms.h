// Alarms: a metric of a stage that left its bounds, over the mean of the last few steps, so that one odd step is none.
//
// The signs of a run that goes wrong, and what the field has learned to watch: entropy that collapses or explodes, completions
// that all hit the limit, that repeat themselves or lose their form, groups that teach nothing, sampler and trainer that
// drift apart, a policy that leaves its reference. An alarm warns, or stops the run after a checkpoint; either way the step's
// samples are saved.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "rl/metrics.h"

namespace rl {

// 0 turns a bound off.
struct AlarmConfig {
  std::string action = "warn";       // warn | stop
  int64_t window_steps = 5;
  double entropy_low = 0.05, entropy_high = 0;  // nats a token
  double clipped_high = 0.9;                  // share of completions at the token limit
  double length_high = 0;                     // mean tokens
  double repetition_high = 0.5;               // share of a completion's 4-grams that came before in it
  double no_answer_high = 0;                  // share
  double zero_variance_high = 0.9;            // share of groups
  double error_high = 0.02;                   // share of completions that a reward failed on
  double mismatch_high = 0.1;                 // mean |sampler - trainer| log-probability
  double kl_high = 0;                         // nats a token
  double grad_norm_high = 0;
};

struct Alarm {
  std::string metric;
  double value = 0, bound = 0;  // of the window's mean
  bool high = true;             // above; else below
  bool over = false;            // back within its bounds
  std::string text(int64_t window_steps) const;
};

// What the alarms of a stage remember; part of a checkpoint.
struct AlarmState {
  std::map<std::string, std::deque<double>> last;  // of each metric that has a bound: its values of the window
  std::map<std::string, bool> on;                  // by metric and side
};

// Takes the step's metrics in. An alarm is told when it begins, and once more when it is over: when no value of the
// window is outside. A metric that is not there is none.
std::vector<Alarm> watch_metrics(AlarmState& state, const AlarmConfig& config, const Metrics& metrics);

nlohmann::ordered_json to_json(const AlarmState& state);
AlarmState alarms_from(const nlohmann::ordered_json& json);

// Share of the 4-grams of `tokens` that stood in it before: 0 for fewer than 8 tokens.
double repetition_share(const std::vector<int32_t>& tokens);

}  // namespace rl
