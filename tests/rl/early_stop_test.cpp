#include "rl/early_stop.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "rl/best_checkpoint.h"
#include "rl/best_metric.h"
#include "rl/config.h"
#include "tests/rl/config_error.h"
#include "tests/support/catch.h"

namespace {

namespace fs = std::filesystem;

// The number of the evaluation that ends the stage, the first being the one before it; -1: none does.
int64_t ends_at(const rl::EarlyStopConfig& config, const std::vector<double>& values, rl::EarlyStopState state = {}) {
  for (size_t i = 0; i < values.size(); ++i)
    if (!rl::early_stop(state, config, {{config.metric, values[i]}}).empty()) return static_cast<int64_t>(i);
  return -1;
}

std::string errors_of(const std::string& more) {
  return testing::config_error("[model]\npath = \"m\"\n[data]\ntrain = \"t.jsonl\"\neval = \"e.jsonl\"\n" + more +
                               "\n[[stage]]\nkind = \"sft\"\nsteps = 2\n");
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("patience counts evaluations in a row that are not better", "[early_stop]") {
  const rl::EarlyStopConfig config{.metric = "eval/accuracy", .patience = 2};
  REQUIRE(ends_at(config, {0.1, 0.2, 0.2, 0.3, 0.2, 0.3}) == 5);  // 0.2 and 0.3 do not pass 0.3
  REQUIRE(ends_at(config, {0.1, 0.2, 0.1, 0.3, 0.2, 0.4}) == -1);
  REQUIRE(ends_at(config, {0.5, 0.4, 0.4}) == 2);  // nothing is better than before the stage
}

TEST_CASE("a loss is better when it is lower, by more than min_delta", "[early_stop]") {
  rl::EarlyStopConfig config{.metric = "eval/loss", .patience = 1, .min_delta = 0.25};
  REQUIRE(ends_at(config, {3.0, 2.5, 2.25}) == 2);  // 2.25 is 0.25 below 2.5, and not more
  REQUIRE(ends_at(config, {3.0, 2.5, 2.0, 1.5}) == -1);
  config.best_is = "max";
  REQUIRE(ends_at(config, {3.0, 2.5}) == 1);
}

// 3.0 -> 2.9 -> 2.8: each step is less than 0.15, both together more, so the second improves on the best.
TEST_CASE("small gains add up to an improvement", "[early_stop]") {
  const rl::EarlyStopConfig config{.metric = "eval/loss", .patience = 2, .min_delta = 0.15};
  REQUIRE(ends_at(config, {3.0, 2.9, 2.8, 2.7, 2.6}) == -1);
}

TEST_CASE("a target ends the stage in the metric's direction", "[early_stop]") {
  REQUIRE(ends_at({.metric = "eval/accuracy", .target = 0.9}, {0.1, 0.89, 0.9}) == 2);
  REQUIRE(ends_at({.metric = "eval/loss", .target = 0.9}, {1.1, 0.91, 0.9}) == 2);
  REQUIRE(ends_at({.metric = "eval/loss", .patience = 9}, {1.1, 0.91, 0.9}) == -1);
}

TEST_CASE("a value that is not a number is no improvement, and not the best that others must pass", "[early_stop]") {
  const rl::EarlyStopConfig config{.metric = "eval/loss", .patience = 2};
  REQUIRE(ends_at(config, {2.0, std::nan(""), std::nan("")}) == 2);
  REQUIRE(ends_at(config, {std::nan(""), 2.0, 3.0, 1.0}) == -1);
}

TEST_CASE("the state goes through a checkpoint", "[early_stop]") {
  const rl::EarlyStopConfig config{.metric = "eval/loss", .patience = 3};
  rl::EarlyStopState state;
  for (const double value : {2.0, 0.1, 0.3}) REQUIRE(rl::early_stop(state, config, {{"eval/loss", value}}).empty());
  const auto back = rl::early_stop_from(nlohmann::ordered_json::parse(to_json(state).dump()));
  REQUIRE((back.best == 0.1 && back.without == 1));
  REQUIRE(ends_at(config, {0.2, 0.2}, back) == 1);
  REQUIRE_FALSE(rl::early_stop_from(nlohmann::ordered_json::parse(to_json(rl::EarlyStopState()).dump())).best);
}

TEST_CASE("a metric that the evaluation does not have is an error with those that it has", "[early_stop]") {
  rl::EarlyStopState state;
  REQUIRE_THROWS_WITH(rl::early_stop(state, {.metric = "eval/loss", .patience = 1}, {{"eval/accuracy", 1}, {"timing/eval_seconds", 2}}),
                      Catch::Contains("only: eval/accuracy. Set one of them."));
}

TEST_CASE("what better means, by metric", "[early_stop]") {
  REQUIRE(rl::higher_is_better("eval/sampled_accuracy", "auto") == true);
  REQUIRE(rl::higher_is_better("eval/perplexity", "auto") == false);
  REQUIRE(rl::higher_is_better("eval/truncated_share", "auto") == false);
  REQUIRE_FALSE(rl::higher_is_better("eval/mean_length", "auto"));
  REQUIRE(rl::higher_is_better("eval/mean_length", "min") == false);
}

TEST_CASE("settings of early stop and of the best checkpoint that cannot work are refused with a cure", "[early_stop]") {
  REQUIRE(errors_of("").empty());
  REQUIRE(contains(errors_of("[early_stop]\npatience = 2"), "early_stop.metric: is missing: what should get better?"));
  REQUIRE(contains(errors_of("[early_stop]\nmetric = \"eval/loss\"\n[eval]\nevery_steps = 1"), "nothing says when to stop"));
  REQUIRE(contains(errors_of("[early_stop]\nmetric = \"eval/loss\"\npatience = 1"), "Set data.eval and eval.every_steps."));
  REQUIRE(contains(errors_of("[early_stop]\nmetric = \"reward\"\npatience = 1"), "must be a metric of evaluations"));
  REQUIRE(contains(errors_of("[checkpoint]\nkeep_best = \"eval/mean_length\""), "Set checkpoint.best_is to \"max\" or \"min\"."));
  REQUIRE(contains(errors_of("[checkpoint]\nkeep_best = \"eval/lost\""), "must be a metric of evaluations"));
  REQUIRE(contains(errors_of("[cost]\nmachine_prices = [\"EPYC\"]"), "TEXT=PRICE"));
}

TEST_CASE("the best checkpoint says what it is; a damaged or missing one is none", "[early_stop]") {
  const fs::path run = fs::temp_directory_path() / "ponder_best_run";
  fs::remove_all(run);
  REQUIRE_FALSE(rl::read_best(run.string()));
  fs::create_directories(run / "checkpoints" / "best");
  const fs::path file = run / "checkpoints" / "best" / "best.json";
  std::ofstream(file) << rl::best_json({"eval/loss", "sft", 0.125, 7, 19});
  const auto best = rl::read_best(run.string());
  REQUIRE(best);
  REQUIRE((best->metric == "eval/loss" && best->stage == "sft" && best->value == 0.125 && best->step == 7 && best->global_step == 19));
  std::ofstream(file) << R"({"metric": 3})";
  REQUIRE_FALSE(rl::read_best(run.string()));
  fs::remove_all(run);
}
