#include "rl/cost.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "rl/energy.h"
#include "rl/metrics.h"
#include "rl/report/summary.h"
#include "tests/support/catch.h"

namespace {

namespace fs = std::filesystem;

rl::Usage at(double seconds, double cpu_seconds, double flops, std::optional<double> joules = std::nullopt) {
  rl::Usage u;
  u.sampled_tokens = static_cast<int64_t>(seconds), u.flops = flops, u.seconds = seconds, u.cpu_seconds = cpu_seconds, u.joules = joules;
  return u;
}

void write_number(const fs::path& file, const std::string& number) { std::ofstream(file) << number << "\n"; }

}  // namespace

// Half an hour at 0.30 an hour is 0.15; 100 W for 1800 s are 180,000 J = 0.05 kWh, at 0.40 each 0.02.
TEST_CASE("energy and price of half an hour, by hand", "[cost]") {
  const rl::CostConfig config{.watts = 100, .price_per_hour = 0.30, .price_per_kwh = 0.40, .machine_prices = {}};
  const rl::Cost cost = rl::cost_between(at(100, 10, 5e9, 7.0), at(1900, 3010, 9.005e12, 8.0), config, "any machine");
  REQUIRE(cost.sampled_tokens == 1800);
  REQUIRE(cost.seconds == 1800);
  REQUIRE(cost.cpu_seconds == 3000);
  REQUIRE(cost.flops == 9e12);
  REQUIRE(cost.joules == 180000);
  REQUIRE(cost.price == Approx(0.17));
  REQUIRE(rl::cost_text(cost, "EUR") == "9 TFLOP, 30m 00s (50m 00s CPU), 50 Wh, 0.17 EUR");
}

TEST_CASE("without watts the processor's own count is taken, and nothing where it cannot be read", "[cost]") {
  REQUIRE(rl::cost_between(at(0, 0, 0, 5.0), at(10, 1, 0, 90.0), {}, "").joules == 85);
  REQUIRE(rl::cost_between(at(0, 0, 0), at(10, 1, 0), {}, "").joules == 0);
  rl::Metrics line;
  rl::append_cost(line, rl::cost_between(at(0, 0, 0), at(10, 1, 0), {}, ""));
  REQUIRE(line.size() == 6);  // neither joules nor a price
  for (const auto& [name, unused] : line) REQUIRE(rl::find_metric(name) != nullptr);
}

TEST_CASE("the first machine whose text stands in the machine's line has the price", "[cost]") {
  const rl::CostConfig config{.price_per_hour = 9, .machine_prices = {"Xeon=3.6", "EPYC 9R14=0.36", "EPYC=7.2"}};
  const auto price = [&](const char* machine) { return rl::cost_between(at(0, 0, 0), at(1000, 0, 0), config, machine).price; };
  REQUIRE(price("AMD EPYC 9R14, 2 threads, avx512") == Approx(0.1));
  REQUIRE(price("AMD EPYC 7763, 4 threads, avx2") == Approx(2.0));
  REQUIRE(price("Apple M3") == Approx(2.5));
  REQUIRE(rl::machine_price_problem("EPYC 9R14=0.24").empty());
  REQUIRE(rl::machine_price_problem("a=b=0.24").empty());  // the last sign counts
  for (const char* wrong : {"EPYC", "EPYC=", "EPYC=cheap", "EPYC=-1", "=2", "EPYC=1 USD"})
    REQUIRE(rl::machine_price_problem(wrong).find("TEXT=PRICE") != std::string::npos);
}

// From 0.50 to 0.75 are 25 points: 100 s and 1 unit of money are 4 s and 0.04 each.
TEST_CASE("what a point of accuracy cost", "[cost]") {
  rl::Cost cost;
  cost.sampled_tokens = 60, cost.seconds = 100, cost.price = 1, cost.flops = 50;
  const auto point = rl::cost_per_point(cost, 0.50, 0.75);
  REQUIRE(point);
  REQUIRE(point->sampled_tokens == 2);
  REQUIRE(point->seconds == Approx(4));
  REQUIRE(point->price == Approx(0.04));
  REQUIRE(point->flops == Approx(2));
  REQUIRE_FALSE(rl::cost_per_point(cost, 0.75, 0.75));
  REQUIRE_FALSE(rl::cost_per_point(cost, 0.75, 0.50));
}

TEST_CASE("costs add up, and a checkpoint gives them back as they were", "[cost]") {
  rl::Cost cost{1, 2, 3, 4.5, 5.25, 6.125, 7.0625, 0.1};
  cost.add(cost);
  REQUIRE((cost.sampled_tokens == 2 && cost.prefilled_tokens == 4 && cost.trained_tokens == 6));
  const rl::Cost back = rl::cost_from(nlohmann::ordered_json::parse(to_json(cost).dump()));
  REQUIRE(to_json(back) == to_json(cost));
  REQUIRE((back.flops == 9.0 && back.seconds == 10.5 && back.cpu_seconds == 12.25 && back.joules == 14.125 && back.price == 0.2));
}

TEST_CASE("operations and energy for people", "[cost]") {
  REQUIRE(rl::flops_text(950) == "950 FLOP");
  REQUIRE(rl::flops_text(1.234e12) == "1.23 TFLOP");
  REQUIRE(rl::energy_text(950) == "950 J");
  REQUIRE(rl::energy_text(36000) == "10 Wh");
  REQUIRE(rl::energy_text(7.2e6) == "2 kWh");
}

// Package 0 goes from 5 J to 6.5 J; package 1 from 9 J over its range of 10 J to 1 J: 1.5 + 2 = 3.5. The core domain in
// package 0, another vendor's device and the whole machine ("psys", of which the packages are parts) do not count.
TEST_CASE("the processors' energy counters are added up, through their start-over", "[cost]") {
  const fs::path root = fs::temp_directory_path() / "ponder_powercap";
  fs::remove_all(root);
  const std::pair<const char*, const char*> domains[] = {
      {"intel-rapl:0", "package-0"}, {"intel-rapl:1", "package-1"}, {"intel-rapl:2", "psys"}, {"intel-rapl:0:0", "core"},
      {"dtpm", "dtpm"}};
  for (const auto& [domain, name] : domains) {
    fs::create_directories(root / domain);
    write_number(root / domain / "name", name);
    write_number(root / domain / "energy_uj", "5000000");
    write_number(root / domain / "max_energy_range_uj", "10000000");
  }
  write_number(root / "intel-rapl:1" / "energy_uj", "9000000");
  rl::EnergyCounter counter(root.string());
  REQUIRE(counter.joules() == 0.0);
  for (const char* domain : {"intel-rapl:0", "intel-rapl:0:0", "intel-rapl:2", "dtpm"})
    write_number(root / domain / "energy_uj", "6500000");
  write_number(root / "intel-rapl:1" / "energy_uj", "1000000");
  REQUIRE(*counter.joules() == Approx(3.5));
  REQUIRE(*counter.joules() == Approx(3.5));
  fs::remove_all(root);
  REQUIRE_FALSE(counter.joules());
  REQUIRE_FALSE(rl::EnergyCounter(root.string()).joules());
}

TEST_CASE("the summary has each stage's cost and the run's, and a price for a point of accuracy", "[cost]") {
  rl::RunSummary summary;
  summary.currency = "USD", summary.output_dir = "runs/x";
  rl::StageSummary stage;
  stage.name = "sft", stage.kind = "sft";
  stage.cost = {.flops = 2e12, .seconds = 50, .cpu_seconds = 90, .price = 0.5};
  stage.greedy_before = rl::Evaluation{.accuracy = 0.25}, stage.greedy_after = rl::Evaluation{.accuracy = 0.50};
  stage.loss_before = rl::HeldOutLoss{4, 40, 2.0, 7.389, 0.25}, stage.loss_after = rl::HeldOutLoss{4, 40, 1.0, 2.718, 0.5};
  stage.stopped = "eval/loss is 1, and 2 evaluations in a row did not pass 1";
  summary.stages = {stage, stage};
  summary.best = rl::BestCheckpoint{"eval/loss", "sft", 0.5, 3, 3};
  const auto json = nlohmann::json::parse(rl::summary_json(summary));
  REQUIRE(json["cost"]["seconds"] == 100);
  REQUIRE(json["stages"][0]["cost_per_accuracy_point"]["seconds"] == 2);
  REQUIRE(json["stages"][1]["loss_after"]["loss"] == 1.0);
  REQUIRE(json["best"]["step"] == 3);
  const std::string text = rl::closing_text(summary, {}, false);
  for (const char* part : {"held back  loss 2.000 → 1.000", "cost     2 TFLOP, 50 s (1m 30s CPU), 0.5 USD",
                           "a point of accuracy: 80 GFLOP, 2.0 s (3.6 s CPU), 0.02 USD", "ended early: eval/loss is 1",
                           "best     eval/loss 0.5 at step 3 of sft: runs/x/checkpoints/best"})
    REQUIRE(text.find(part) != std::string::npos);
}
