// `ponder score`: a JSONL file through a reward, line by line.
#include <fmt/core.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "rl/commands/commands.h"
#include "rl/evaluation/statistics.h"
#include "rl/data/json_rows.h"
#include "rl/commands/reward_choice.h"

namespace rl {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

struct Line {
  Json id;
  reward::Item item;
};

constexpr const char* shape = R"(A line is {"prediction": ..., "gold": ...}.)";

std::string text_at(const Json& row, const char* key, const std::string& place) {
  const auto found = row.find(key);
  if (found == row.end())
    kernels::fail_usage("{}: has no key \"{}\"; its keys are: {}. {}", place, key, keys_of(row), shape);
  if (found->is_null()) kernels::fail_usage("{}: the value of \"{}\" is null. {}", place, key, shape);
  return as_text(*found);
}

Line read_line(const Json& row, const std::string& place, int64_t row_index) {
  Line line{row.contains("id") ? row["id"] : Json(row_index), {}};
  line.item.prompt_id = line.item.group_id = row_index;
  line.item.completion = text_at(row, "prediction", place);
  line.item.answer = text_at(row, "gold", place);
  if (row.contains("prompt")) line.item.prompt = text_at(row, "prompt", place);
  if (row.contains("data_source")) line.item.data_source = text_at(row, "data_source", place);
  return line;
}

std::vector<Line> read_lines(const std::string& file) {
  std::vector<Line> lines;
  for_each_row(file, [&](int64_t number, const Json& row) {
    lines.push_back(read_line(row, fmt::format("{}:{}", file, number), static_cast<int64_t>(lines.size())));
    return true;
  });
  return lines;
}

std::string scored_line(const Json& id, const reward::Outcome& outcome) {
  Json components = Json::object();
  for (const auto& [name, value] : outcome.components) components[name] = value;
  const Json line{{"id", id},
                  {"value", outcome.has_value() ? Json(outcome.value) : Json(nullptr)},
                  {"status", reward::name_of(outcome.status)},
                  {"reason", outcome.reason},
                  {"extracted", outcome.extracted},
                  {"components", components},
                  {"detail", outcome.detail}};
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

int run_score(const ScoreOptions& options) {
  const auto settings = chosen_rewards(options.reward, options.profile);
  const auto reward = make_chosen(settings);
  const auto lines = read_lines(options.input);
  std::ofstream file;
  std::error_code none;
  if (std::filesystem::equivalent(options.input, options.output, none))
    kernels::fail_usage("score: --output is the input file {}, which would be lost. Name another.", options.input);
  if (!options.output.empty()) {
    file.open(options.output, std::ios::binary | std::ios::trunc);
    if (!file) kernels::fail_usage("{}: cannot be written. Check --output.", options.output);
  }
  std::ostream& out = options.output.empty() ? std::cout : file;
  if (const std::string problem = reward->self_test(); !problem.empty()) kernels::fail_usage("{}: {}", options.reward, problem);
  int64_t timeout_ms = 0;
  for (const auto& s : settings) timeout_ms += s.timeout_ms;

  std::vector<double> milliseconds;
  double sum = 0;
  int64_t with_value = 0;
  for (const Line& line : lines) {
    const auto start = Clock::now();
    const auto outcome = reward->score({line.item}, start + std::chrono::milliseconds(timeout_ms)).at(0);
    milliseconds.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
    with_value += outcome.has_value();
    sum += outcome.has_value() ? outcome.value : 0;
    out << scored_line(line.id, outcome);
  }
  out.flush();
  if (!out) kernels::fail("{}: writing failed. Is the disk full?", options.output.empty() ? "stdout" : options.output);
  const double mean = with_value > 0 ? sum / static_cast<double>(with_value) : 0.0;
  fmt::print(stderr, "{} lines, {} with a value, mean {:.4f}; per call: median {:.4f} ms, p99 {:.4f} ms\n", lines.size(),
             with_value, mean, percentile(milliseconds, 0.5), percentile(milliseconds, 0.99));
  return 0;
}

}  // namespace rl
