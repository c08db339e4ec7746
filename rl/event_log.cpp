#include "rl/event_log.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>

#include "rl/line_log.h"

namespace rl {
namespace {

using Json = nlohmann::ordered_json;

std::string file_of(const std::string& run_directory) { return run_directory + "/events.jsonl"; }

}  // namespace

void append_event(const std::string& run_directory, const std::string& stage, int64_t step, const std::string& kind,
                  const std::string& text) {
  const Json json{{"time", fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::gmtime(std::time(nullptr)))},
                  {"stage", stage}, {"step", step}, {"kind", kind}, {"text", text}};
  line_log(file_of(run_directory)).append(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::vector<Event> read_events(const std::string& run_directory) {
  std::vector<Event> events;
  std::ifstream in(file_of(run_directory), std::ios::binary);
  for (std::string line; std::getline(in, line);) {
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) continue;
    events.push_back({json.value("time", ""), json.value("stage", ""), json.value("step", int64_t{0}), json.value("kind", ""),
                      json.value("text", "")});
  }
  return events;
}

}  // namespace rl
