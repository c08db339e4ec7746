#include "rl/cost.h"

#include <fmt/core.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "rl/report/terminal.h"

namespace rl {
namespace {

constexpr double seconds_per_hour = 3600, joules_per_kwh = 3.6e6;

struct MachinePrice {
  std::string text;
  double price = -1;  // below 0: it could not be read
};

MachinePrice read_machine_price(const std::string& line) {
  MachinePrice read;
  const size_t equals = line.rfind('=');
  if (equals == std::string::npos || equals == 0) return read;
  read.text = line.substr(0, equals);
  const char *begin = line.data() + equals + 1, *end = line.data() + line.size();
  double price = 0;
  if (const auto [at, error] = std::from_chars(begin, end, price); error == std::errc() && at == end && std::isfinite(price))
    read.price = price;
  return read;
}

double price_per_hour(const CostConfig& config, const std::string& machine) {
  for (const auto& line : config.machine_prices) {
    const MachinePrice known = read_machine_price(line);
    if (machine.find(known.text) != std::string::npos) return known.price;
  }
  return config.price_per_hour;
}

// 950, 1.2k, ... with the unit's prefixes: three digits at most before the point.
std::string with_prefix(double value, const std::string& unit) {
  constexpr const char* prefixes[] = {"", "k", "M", "G", "T", "P", "E", "Z"};
  size_t at = 0;
  while (value >= 999.5 && at + 1 < std::size(prefixes)) value /= 1000, ++at;
  return at == 0 ? fmt::format("{:.0f} {}", value, unit) : fmt::format("{:.3g} {}{}", value, prefixes[at], unit);
}

}  // namespace

void Cost::add(const Cost& more) {
  sampled_tokens += more.sampled_tokens, prefilled_tokens += more.prefilled_tokens, trained_tokens += more.trained_tokens;
  flops += more.flops, seconds += more.seconds, cpu_seconds += more.cpu_seconds;
  joules += more.joules, price += more.price;
}

Cost cost_between(const Usage& before, const Usage& after, const CostConfig& config, const std::string& machine) {
  Cost cost;
  cost.sampled_tokens = after.sampled_tokens - before.sampled_tokens;
  cost.prefilled_tokens = after.prefilled_tokens - before.prefilled_tokens;
  cost.trained_tokens = after.trained_tokens - before.trained_tokens;
  cost.flops = after.flops - before.flops;
  cost.seconds = after.seconds - before.seconds;
  cost.cpu_seconds = after.cpu_seconds - before.cpu_seconds;
  if (config.watts > 0) cost.joules = config.watts * cost.seconds;
  else if (before.joules && after.joules) cost.joules = *after.joules - *before.joules;
  cost.price = cost.seconds / seconds_per_hour * price_per_hour(config, machine) + cost.joules / joules_per_kwh * config.price_per_kwh;
  return cost;
}

std::string machine_price_problem(const std::string& text) {
  const MachinePrice read = read_machine_price(text);
  if (!read.text.empty() && read.price >= 0) return "";
  return fmt::format("holds \"{}\", but each must be TEXT=PRICE with a price of 0 or more, such as \"EPYC 9R14=0.24\".", text);
}

void append_cost(Metrics& metrics, const Cost& cost) {
  metrics.emplace_back("timing/cost/sampled_tokens", static_cast<double>(cost.sampled_tokens));
  metrics.emplace_back("timing/cost/prefilled_tokens", static_cast<double>(cost.prefilled_tokens));
  metrics.emplace_back("timing/cost/trained_tokens", static_cast<double>(cost.trained_tokens));
  metrics.emplace_back("timing/cost/flops", cost.flops);
  metrics.emplace_back("timing/cost/seconds", cost.seconds);
  metrics.emplace_back("timing/cost/cpu_seconds", cost.cpu_seconds);
  if (cost.joules > 0) metrics.emplace_back("timing/cost/joules", cost.joules);
  if (cost.price > 0) metrics.emplace_back("timing/cost/price", cost.price);
}

nlohmann::ordered_json to_json(const Cost& cost) {
  return {{"sampled_tokens", cost.sampled_tokens}, {"prefilled_tokens", cost.prefilled_tokens}, {"trained_tokens", cost.trained_tokens},
          {"flops", cost.flops}, {"seconds", cost.seconds}, {"cpu_seconds", cost.cpu_seconds},
          {"joules", cost.joules}, {"price", cost.price}};
}

Cost cost_from(const nlohmann::ordered_json& json) {
  Cost cost;
  cost.sampled_tokens = json.at("sampled_tokens"), cost.prefilled_tokens = json.at("prefilled_tokens");
  cost.trained_tokens = json.at("trained_tokens"), cost.flops = json.at("flops");
  cost.seconds = json.at("seconds"), cost.cpu_seconds = json.at("cpu_seconds");
  cost.joules = json.at("joules"), cost.price = json.at("price");
  return cost;
}

std::string flops_text(double flops) { return with_prefix(flops, "FLOP"); }

std::string energy_text(double joules) {
  if (joules < 3600) return fmt::format("{:.3g} J", joules);
  return joules < joules_per_kwh ? fmt::format("{:.3g} Wh", joules / 3600) : fmt::format("{:.3g} kWh", joules / joules_per_kwh);
}

std::string cost_text(const Cost& cost, const std::string& currency) {
  std::string text = fmt::format("{}, {} ({} CPU)", flops_text(cost.flops), duration_text(cost.seconds), duration_text(cost.cpu_seconds));
  if (cost.joules > 0) text += ", " + energy_text(cost.joules);
  if (cost.price > 0) text += fmt::format(", {:.3g} {}", cost.price, currency);
  return text;
}

std::optional<Cost> cost_per_point(const Cost& cost, double before, double after) {
  const double points = 100 * (after - before);
  if (!(points > 1e-9)) return std::nullopt;
  const auto tokens = [&](int64_t count) { return static_cast<int64_t>(static_cast<double>(count) / points); };
  return Cost{tokens(cost.sampled_tokens), tokens(cost.prefilled_tokens), tokens(cost.trained_tokens), cost.flops / points,
              cost.seconds / points, cost.cpu_seconds / points, cost.joules / points, cost.price / points};
}

}  // namespace rl
