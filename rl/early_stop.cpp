#include "rl/early_stop.h"

#include <fmt/core.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "rl/best_metric.h"

namespace rl {

std::string early_stop(EarlyStopState& state, const EarlyStopConfig& config, const Metrics& evaluation) {
  if (config.metric.empty()) return "";
  const auto value = value_of(evaluation, config.metric);
  if (!value)
    kernels::fail_usage("early_stop.metric: is \"{}\", but this stage's evaluations have only: {}. Set one of them.", config.metric,
                        names_of_evaluation(evaluation));
  const bool higher = higher_is_better(config.metric, config.best_is).value_or(true), first = !state.best;
  const bool reached = higher ? *value >= config.target : *value <= config.target;
  if (config.target != 0 && reached)
    return fmt::format("{} is {:.4g}, which reaches early_stop.target = {:g}", config.metric, *value, config.target);
  if (first || is_better(*value, *state.best, higher, config.min_delta)) {
    state = {.best = *value, .without = 0};
    return "";
  }
  ++state.without;
  if (config.patience == 0 || state.without < config.patience) return "";
  return fmt::format("{} is {:.4g}, and {} evaluation{} in a row did not pass {:.4g}{} (early_stop.patience)", config.metric, *value,
                     state.without, state.without == 1 ? "" : "s", *state.best,
                     config.min_delta > 0 ? fmt::format(" by more than {:g}", config.min_delta) : "");
}

nlohmann::ordered_json to_json(const EarlyStopState& state) {
  return {{"best", state.best && std::isfinite(*state.best) ? nlohmann::ordered_json(*state.best) : nullptr}, {"without", state.without}};
}

EarlyStopState early_stop_from(const nlohmann::ordered_json& json) {
  EarlyStopState state;
  if (json.at("best").is_number()) state.best = json.at("best").get<double>();
  state.without = json.at("without");
  return state;
}

}  // namespace rl
