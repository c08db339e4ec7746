#include "rl/data/jsonl.h"

#include <fmt/core.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "rl/data/json_rows.h"
#include "rl/data/row_forms.h"

namespace rl {

std::vector<Problem> read_jsonl(const std::string& file, const DataConfig& keys, int64_t limit) {
  const std::string name = keys.name.empty() ? std::filesystem::path(file).stem().string() : keys.name;
  std::vector<Problem> problems;
  for_each_row(file, [&](int64_t line, const nlohmann::ordered_json& row) {
    Problem problem;
    problem.prompt_id = static_cast<int64_t>(problems.size());
    problem.line = line;
    const auto used = take_row(problem, row, keys, fmt::format("{}:{}", file, line));
    const auto own = row.find(keys.source_key);
    problem.data_source = own != row.end() && own->is_string() ? own->get<std::string>() : name;
    nlohmann::ordered_json rest = row;
    for (const std::string& known : used) rest.erase(known);
    rest.erase(keys.source_key);
    if (!rest.empty()) problem.extra = rest.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    problems.push_back(std::move(problem));
    return limit == 0 || static_cast<int64_t>(problems.size()) < limit;
  });
  return problems;
}

}  // namespace rl
