// Renders templates for comparison with jinja2: tests/end_to_end/long/templates.py drives it.
//
// A line of stdin is {"template": text, "variables": object, "spans"?: true}; a line of stdout is {"text": ..., "spans": [[begin,
// end], ...]} with bytes, or {"error": message}. strftime_now shows 26 July 2024, noon. With an argument N the last line is
// rendered N times more and the mean time of one rendering is printed on stderr.
#include <chrono>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "model/chat/jinja/json_value.h"
#include "model/chat/jinja/template.h"

using Json = nlohmann::ordered_json;

namespace {

std::tm noon() {
  std::tm t{};
  t.tm_year = 124, t.tm_mon = 6, t.tm_mday = 26, t.tm_hour = 12, t.tm_wday = 5, t.tm_yday = 207;
  return t;
}

Json rendered(const model::jinja::Template& parsed, const Json& request) {
  const auto output = parsed.render(model::jinja::from_json(request.at("variables")), noon(), request.value("spans", false));
  Json spans = Json::array();
  for (const auto& span : output.generation) spans.push_back({span.begin, span.end});
  return {{"text", output.text}, {"spans", spans}};
}

}  // namespace

int main(int argc, char** argv) {
  std::string line, last;
  std::map<std::string, std::shared_ptr<const model::jinja::Template>> parsed;
  const auto of = [&](const Json& request) -> const model::jinja::Template& {
    auto& entry = parsed[request.at("template").get<std::string>()];
    if (!entry) entry = std::make_shared<const model::jinja::Template>(request.at("template").get<std::string>(), "template");
    return *entry;
  };
  while (std::getline(std::cin, line)) {
    Json answer;
    try {
      const Json request = Json::parse(line);
      answer = rendered(of(request), request);
    } catch (const std::exception& error) {
      answer = {{"error", error.what()}};
    }
    std::cout << answer.dump() << "\n";
    last = line;
  }
  if (argc > 1 && !last.empty()) {
    const Json request = Json::parse(last);
    const auto& chosen = of(request);
    const int times = std::stoi(argv[1]);
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < times; ++i) rendered(chosen, request);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::fprintf(stderr, "%.1f us\n", seconds / times * 1e6);
  }
}
