// What the rewards of a step say, and when their failures are too many.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "rl/collect.h"
#include "rl/config.h"
#include "rl/metrics.h"

namespace rl {

// reward, its spread, and for each [[reward]]: rewards/NAME/{mean, std, frac_zero_std, error_share, timeout_share, skip_share}.
// Shares are of the completions that the reward applies to.
Metrics reward_metrics(const std::vector<Group>& groups, const StageConfig& stage);

// timing/rewards/NAME/{p50_ms, p99_ms} of the calls since the last take.
void append_reward_times(Metrics& metrics, const std::vector<reward::PartTimes>& times);

// Empty, or why these completions say nothing about accuracy: a larger share of them than filter.max_infra_error_share could not
// be scored because a reward failed or was late.
std::string evaluation_problem(const std::vector<Group>& groups, const StageConfig& stage);

// Completions of the last steps that a reward failed on, by step; part of a checkpoint.
using RewardErrors = std::deque<int64_t>;

// Takes in a step. Empty, or why the run must stop: a reward with on_error = "abort" failed, or more than
// filter.max_infra_error_share of the last filter.error_window_steps steps' completions (steps to come counted as free of
// errors) had a timeout or an infra_error in a reward that is not a metric.
std::string add_errors(RewardErrors& errors, const StageConfig& stage, const std::vector<Group>& groups);

}  // namespace rl
