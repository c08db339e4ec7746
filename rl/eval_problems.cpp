// Rows of a data file -> the problems of a suite.
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "kernels/error.h"
#include "reward/extract.h"
#include "rl/dataset.h"
#include "rl/eval_suite.h"
#include "rl/sha256.h"

namespace rl {
namespace {

using Json = nlohmann::ordered_json;

struct Row {
  Json value;
  std::string place;  // "file:line", or "file: row 7" of a list
};

std::string keys_of(const Json& row) {
  std::vector<std::string> keys;
  for (const auto& item : row.items()) keys.push_back(item.key());
  return fmt::format("{}", fmt::join(keys, ", "));
}

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

std::string as_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.dump();
  std::vector<std::string> lines;
  for (const auto& item : value) lines.push_back(item.is_string() ? item.get<std::string>() : item.dump());
  return fmt::format("{}", fmt::join(lines, "\n"));
}

std::vector<Row> rows_of_list(const std::string& text, const std::string& file) {
  const auto list = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!list.is_array()) kernels::fail_usage("{}: begins with '[' but is not one JSON list.", file);
  std::vector<Row> rows;
  for (const auto& value : list) rows.push_back({value, fmt::format("{}: row {}", file, rows.size())});
  return rows;
}

std::vector<Row> rows_of_lines(const std::string& text, const std::string& file) {
  std::vector<Row> rows;
  int64_t line = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string one = text.substr(at, end - at);
    at = end + 1;
    ++line;
    if (one.find_first_not_of(" \t\r") == std::string::npos) continue;
    rows.push_back({Json::parse(one, nullptr, /*allow_exceptions=*/false), fmt::format("{}:{}", file, line)});
  }
  return rows;
}

std::vector<Row> read_rows(const std::string& file, std::string& sha256) {
  std::ifstream in(file, std::ios::binary);
  if (!in || std::filesystem::is_directory(file))
    kernels::fail_usage("{}: the data file cannot be read. Check the path; it is relative to the working folder.", file);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  sha256 = sha256_of_text(text);
  const size_t first = text.find_first_not_of(" \t\r\n");
  auto rows = first != std::string::npos && text[first] == '[' ? rows_of_list(text, file) : rows_of_lines(text, file);
  if (rows.empty()) kernels::fail_usage("{}: the data file has no rows.", file);
  for (const Row& row : rows) {
    if (!row.value.is_object())
      kernels::fail_usage("{}: is not a JSON object, such as {{\"question\": ..., \"answer\": ...}}.", row.place);
  }
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
      gold[name] = name == "tests" && value.is_array() ? value : Json(as_text(value));
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
    out += text.substr(at, open - at) + as_text(value_of(row, text.substr(open + 2, close - open - 2), place));
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
