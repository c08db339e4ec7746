#include "rl/alarms.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

namespace rl {
namespace {

struct Bound {
  const char* metric;
  double AlarmConfig::*limit;
  bool high;
};

constexpr Bound bounds[] = {
    {"entropy", &AlarmConfig::entropy_low, false},
    {"entropy", &AlarmConfig::entropy_high, true},
    {"completions/clipped_ratio", &AlarmConfig::clipped_high, true},
    {"completions/mean_length", &AlarmConfig::length_high, true},
    {"completions/repetition_share", &AlarmConfig::repetition_high, true},
    {"completions/no_answer_share", &AlarmConfig::no_answer_high, true},
    {"frac_reward_zero_std", &AlarmConfig::zero_variance_high, true},
    {"completions/error_share", &AlarmConfig::error_high, true},
    {"sampling/sampling_logp_difference/mean", &AlarmConfig::mismatch_high, true},
    {"kl", &AlarmConfig::kl_high, true},
    {"grad_norm", &AlarmConfig::grad_norm_high, true},
};

}  // namespace

std::string Alarm::text(int64_t window_steps) const {
  if (over) return fmt::format("{} is back within its bound, {:g}", metric, bound);
  return fmt::format("{} is {:.4g}, {} {:g}, over the last {} steps", metric, value, high ? "above" : "below", bound, window_steps);
}

std::vector<Alarm> watch_metrics(AlarmState& state, const AlarmConfig& config, const Metrics& metrics) {
  std::vector<Alarm> alarms;
  std::set<std::string> taken;
  for (const Bound& bound : bounds) {
    const auto value = std::find_if(metrics.begin(), metrics.end(), [&](const auto& m) { return m.first == bound.metric; });
    if (value == metrics.end()) continue;
    auto& window = state.last[bound.metric];
    if (taken.insert(bound.metric).second) window.push_back(value->second);
    while (static_cast<int64_t>(window.size()) > config.window_steps) window.pop_front();
    const double limit = config.*bound.limit;
    if (limit == 0 || static_cast<int64_t>(window.size()) < config.window_steps) continue;
    const double mean = std::accumulate(window.begin(), window.end(), 0.0) / static_cast<double>(window.size());
    const auto outside = [&](double x) { return std::isfinite(x) && (bound.high ? x > limit : x < limit); };
    bool& on = state.on[fmt::format("{}{}", bound.metric, bound.high)];
    // It ends later than it begins, so that a metric that stays near its bound is told once.
    const bool out = on ? std::any_of(window.begin(), window.end(), outside) : outside(mean);
    if (out != on) alarms.push_back({bound.metric, mean, limit, bound.high, !out});
    on = out;
  }
  return alarms;
}

// A value that is not finite is null, and NaN again.
nlohmann::ordered_json to_json(const AlarmState& state) { return {{"last", state.last}, {"on", state.on}}; }

AlarmState alarms_from(const nlohmann::ordered_json& json) {
  AlarmState state;
  for (const auto& [metric, values] : json.at("last").items())
    for (const auto& value : values)
      state.last[metric].push_back(value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN());
  for (const auto& [name, on] : json.at("on").items()) state.on[name] = on;
  return state;
}

double repetition_share(const std::vector<int32_t>& tokens) {
  if (tokens.size() < 8) return 0;
  std::vector<std::array<int32_t, 4>> grams;
  for (size_t i = 0; i + 4 <= tokens.size(); ++i) grams.push_back({tokens[i], tokens[i + 1], tokens[i + 2], tokens[i + 3]});
  const auto all = static_cast<double>(grams.size());
  std::sort(grams.begin(), grams.end());
  const auto different = static_cast<double>(std::unique(grams.begin(), grams.end()) - grams.begin());
  return (all - different) / all;
}

}  // namespace rl
