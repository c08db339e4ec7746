// Rows of a data file -> the problems of a suite.
#include <fmt/ranges.h>

#include <algorithm>

#include "kernels/error.h"
#include "reward/extract.h"
#include "rl/dataset.h"
#include "rl/evaluation/suite.h"
#include "rl/data/json_rows.h"
#include "rl/data/sha256.h"

namespace rl {
namespace {

using Json = nlohmann::ordered_json;

struct Row {
  Json value;
  std::string place;  // "file:line"
};

const Json& value_of(const Json& row, const std::string& key, const std::string& place) {
  const auto found = row.find(key);
  if (found == row.end())
    kernels::fail_usage("{}: has no key \"{}\"; its keys are: {}. Name the right ones with --prompt-key and --answer-key.", place,
                        key, keys_of(row));
  if (found->is_null() || found->is_object())
    kernels::fail_usage("{}: the value of \"{}\" is {}, not text, a number or a list.", place, key,
                        found->is_null() ? "null" : "an object");
  return *found;
}

// A list is one line for each of its values.
std::string lines_of(const Json& value) {
  if (!value.is_array()) return as_text(value);
  std::vector<std::string> lines;
  for (const auto& item : value) lines.push_back(as_text(item));
  return fmt::format("{}", fmt::join(lines, "\n"));
}

std::vector<Row> read_rows(const std::string& file, std::string& sha256) {
  std::vector<Row> rows;
  for_each_row(file, [&](int64_t line, const Json& row) {
    rows.push_back({row, fmt::format("{}:{}", file, line)});
    return true;
  });
  sha256 = sha256_of_file(file);
  return rows;
}

// The suite's own number of problems, or more if the limit asks for more. The sum is over a line for each of the former, as a
// file of them would have it, so that it does not depend on the limit.
std::vector<Row> generate_rows(const Suite& suite, const std::string& source, int64_t limit, std::string& sha256) {
  DataConfig config;
  config.numbers = suite.numbers;
  config.largest = suite.largest;
  const int64_t whole = suite.problems > 0 ? suite.problems : config.eval_problems;
  config.eval_problems = std::max(limit, whole);
  std::vector<Row> rows;
  Sha256 sum;
  for (const Problem& problem : read_problems(source, config, 0)) {
    rows.push_back({Json{{"question", problem.question}, {"answer", problem.answer}}, source});
    if (static_cast<int64_t>(rows.size()) <= whole) sum.add(rows.back().value.dump() + "\n");
  }
  sha256 = sum.hex();
  return rows;
}

std::string gold_of(const Suite& suite, const Row& row) {
  if (!suite.gold_fields.empty()) {
    Json gold;
    for (const auto& [name, key] : suite.gold_fields) {
      const Json& value = value_of(row.value, key, row.place);
      gold[name] = name == "tests" && value.is_array() ? value : Json(lines_of(value));
    }
    return gold.dump();
  }
  const std::string text = fill_template(suite.gold, row.value, row.place);
  if (suite.gold_in != "box") return text;
  const auto box = reward::last_box(text);
  if (!box)
    kernels::fail_usage("{}: the gold of the suite {} is the last \\boxed{{...}} of a text that has none.", row.place,
                        suite.name);
  return std::string(*box);
}

bool in_range(const Suite& suite, const Row& row) {
  if (suite.rows_by.empty()) return true;
  const Json& value = value_of(row.value, suite.rows_by, row.place);
  if (!value.is_number_integer()) kernels::fail_usage("{}: the value of \"{}\" is no whole number.", row.place, suite.rows_by);
  return value.get<int64_t>() >= suite.first_row && value.get<int64_t>() <= suite.last_row;
}

}  // namespace

std::string fill_template(const std::string& text, const Json& row, const std::string& place) {
  std::string out;
  for (size_t at = 0;;) {
    const size_t open = text.find("{{", at);
    const size_t close = open == std::string::npos ? open : text.find("}}", open);
    if (close == std::string::npos) return out + text.substr(at);
    out += text.substr(at, open - at) + lines_of(value_of(row, text.substr(open + 2, close - open - 2), place));
    at = close + 2;
  }
}

SuiteProblems read_suite_problems(const Suite& suite, const std::string& file, const std::string& style, int64_t limit) {
  SuiteProblems out;
  out.file = file;
  const bool generated = file.rfind("generator:", 0) == 0;
  const auto rows = generated ? generate_rows(suite, file, limit, out.sha256) : read_rows(file, out.sha256);
  const std::string& wording = style == "plain" ? suite.prompt : style == "r1-zero" ? suite.question : suite.chat_prompt;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!in_range(suite, rows[i])) continue;
    ++out.rows;
    if (limit > 0 && static_cast<int64_t>(out.problems.size()) >= limit) continue;
    EvalProblem problem;
    problem.doc_id = static_cast<int64_t>(i);
    problem.doc = rows[i].value;
    problem.question = fill_template(wording, rows[i].value, rows[i].place);
    problem.target = gold_of(suite, rows[i]);
    out.problems.push_back(std::move(problem));
  }
  if (out.problems.empty()) kernels::fail_usage("{}: no row is in the suite {}.", file, suite.name);
  return out;
}

}  // namespace rl
