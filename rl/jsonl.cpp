#include "rl/jsonl.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "rl/json_rows.h"

namespace rl {
namespace {

std::string required(const nlohmann::json& row, const std::string& key, const char* setting, const std::string& file,
                     int64_t line) {
  const auto found = row.find(key);
  if (found == row.end()) {
    std::vector<std::string> keys;
    for (const auto& item : row.items()) keys.push_back(item.key());
    kernels::fail_usage("{}:{}: has no key \"{}\"; its keys are: {}. Set {} to the right one.", file, line, key,
                        fmt::join(keys, ", "), setting);
  }
  if (found->is_object() || found->is_array() || found->is_null())
    kernels::fail_usage("{}:{}: the value of \"{}\" is not text or a number. Set {} to a key that holds text.", file, line, key,
                        setting);
  return as_text(*found);
}

}  // namespace

std::vector<Problem> read_jsonl(const std::string& file, const DataConfig& keys, int64_t limit) {
  std::vector<Problem> problems;
  for_each_row(file, [&](int64_t line, const nlohmann::json& row) {
    Problem problem;
    problem.prompt_id = static_cast<int64_t>(problems.size());
    problem.line = line;
    problem.question = required(row, keys.prompt_key, "data.prompt_key", file, line);
    problem.answer = required(row, keys.answer_key, "data.answer_key", file, line);
    if (const auto found = row.find(keys.completion_key); found != row.end() && found->is_string())
      problem.completion = found->get<std::string>();
    problems.push_back(std::move(problem));
    return limit == 0 || static_cast<int64_t>(problems.size()) < limit;
  });
  if (problems.empty()) kernels::fail_usage("{}: the data file has no rows.", file);
  return problems;
}

}  // namespace rl
