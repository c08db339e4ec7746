// `ponder score`: a JSONL file through a reward, line by line.
#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "rl/commands.h"
#include "rl/reward_choice.h"

namespace rl {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

struct Line {
  Json id;
  reward::Item item;
};

std::string text_at(const Json& row, const char* key, const std::string& place) {
  const auto found = row.find(key);
  if (found == row.end())
    kernels::fail_usage("{}: has no key \"{}\". A line is {{\"prediction\": ..., \"gold\": ...}}.", place, key);
  return found->is_string() ? found->get<std::string>() : found->dump();
}

Line read_line(const std::string& text, const std::string& place, int64_t row_index) {
  const Json row = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!row.is_object()) kernels::fail_usage("{}: is not a JSON object. A line is {{\"prediction\": ..., \"gold\": ...}}.", place);
  Line line{row.contains("id") ? row["id"] : Json(row_index), {}};
  line.item.prompt_id = line.item.group_id = row_index;
  line.item.completion = text_at(row, "prediction", place);
  line.item.answer = text_at(row, "gold", place);
  if (row.contains("prompt")) line.item.prompt = text_at(row, "prompt", place);
  if (row.contains("data_source")) line.item.data_source = text_at(row, "data_source", place);
  return line;
}

std::vector<Line> read_lines(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) kernels::fail_usage("{}: cannot be read. Check --input.", file);
  std::vector<Line> lines;
  std::string text;
  for (int64_t number = 1; std::getline(in, text); ++number) {
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    lines.push_back(read_line(text, fmt::format("{}:{}", file, number), static_cast<int64_t>(lines.size())));
  }
  return lines;
}

std::string scored_line(const Json& id, const reward::Outcome& outcome) {
  Json components = Json::object();
  for (const auto& [name, value] : outcome.components) components[name] = value;
  const Json line{{"id", id},
                  {"value", outcome.has_value() ? Json(outcome.value) : Json(nullptr)},
                  {"status", reward::name_of(outcome.status)},
                  {"reason", outcome.reason.empty() ? outcome.detail : outcome.reason},
                  {"extracted", outcome.extracted},
                  {"components", components}};
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

double quantile(std::vector<double> sorted, double q) {
  return sorted.empty() ? 0 : sorted[static_cast<size_t>(q * static_cast<double>(sorted.size() - 1) + 0.5)];
}

}  // namespace

int run_score(const ScoreOptions& options) {
  const auto settings = chosen_rewards(options.reward, options.profile);
  const auto reward = make_chosen(settings);
  const auto lines = read_lines(options.input);
  std::ofstream file;
  if (!options.output.empty()) {
    file.open(options.output, std::ios::binary | std::ios::trunc);
    if (!file) kernels::fail("{}: cannot be written. Check --output.", options.output);
  }
  std::ostream& out = options.output.empty() ? std::cout : file;
  if (const std::string problem = reward->self_test(); !problem.empty()) kernels::fail("{}: {}", options.reward, problem);
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
  std::sort(milliseconds.begin(), milliseconds.end());
  const double mean = with_value > 0 ? sum / static_cast<double>(with_value) : 0.0;
  fmt::print(stderr, "{} lines, {} with a value, mean {:.4f}; per call: median {:.4f} ms, p99 {:.4f} ms\n", lines.size(), with_value, mean,
             quantile(milliseconds, 0.5), quantile(milliseconds, 0.99));
  return 0;
}

}  // namespace rl
