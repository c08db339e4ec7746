// What a run costs: tokens, floating-point operations, time, energy and money.
//
//   energy  = [cost] watts x wall seconds; with watts 0, what the processor itself counts (RAPL, Linux' powercap: of the whole
//             machine's processors, not of this program alone), where it may be read
//   price   = wall hours x the machine's price + kWh x price_per_kwh
//
// The machine's price is the first of cost.machine_prices ("TEXT=PRICE") whose TEXT stands in the machine's line, as
// "EPYC 9R14" does in "AMD EPYC 9R14, 2 threads, avx512"; else cost.price_per_hour. A price is a number in cost.currency.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "rl/metrics.h"

namespace rl {

struct CostConfig {
  double watts = 0.0;          // 0: what the processor counts
  double price_per_hour = 0.0, price_per_kwh = 0.0;
  std::vector<std::string> machine_prices;  // TEXT=PRICE
  std::string currency = "USD";
};

struct Cost {
  int64_t sampled_tokens = 0;
  int64_t prefilled_tokens = 0;  // prompt tokens that were computed, and any that were computed again; not those of a cache
  int64_t trained_tokens = 0;    // each pass over one counts
  double flops = 0;              // model/flops.h
  double seconds = 0, cpu_seconds = 0;  // wall; of all threads, and of child processes that have ended
  double joules = 0;             // 0: not known
  double price = 0;              // 0: none is given

  void add(const Cost& more);
};

// Counters since some moment, and where clock and meters stand.
struct Usage {
  int64_t sampled_tokens = 0, prefilled_tokens = 0, trained_tokens = 0;
  double flops = 0, seconds = 0, cpu_seconds = 0;
  std::optional<double> joules;  // what the processor counted; nullopt: it cannot be read
};

// What lies between two of them. `machine`: its line.
Cost cost_between(const Usage& before, const Usage& after, const CostConfig& config, const std::string& machine);

// Empty, or what is wrong with a "TEXT=PRICE".
std::string machine_price_problem(const std::string& text);

// timing/cost/*: they follow from clocks, caches and memory plans, so they differ between equal runs. Without energy and price
// where they are not known.
void append_cost(Metrics& metrics, const Cost& cost);

nlohmann::ordered_json to_json(const Cost& cost);
Cost cost_from(const nlohmann::ordered_json& json);

// "1.2 PFLOP, 3m 20s (5m 02s CPU), 12.1 Wh, 0.0041 USD"; what is not known is left out.
std::string cost_text(const Cost& cost, const std::string& currency);
std::string flops_text(double flops);    // 950 MFLOP, 1.2 TFLOP
std::string energy_text(double joules);  // 950 J, 12.1 Wh, 1.20 kWh

// Of a stage whose accuracy rose from `before` to `after` (shares): what each point of accuracy (0.01) took. nullopt when it did
// not rise. Token counts are rounded down.
std::optional<Cost> cost_per_point(const Cost& cost, double before, double after);

}  // namespace rl
