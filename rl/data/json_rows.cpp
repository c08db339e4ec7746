#include "rl/data/json_rows.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

#include "kernels/error.h"
#include "kernels/watchdog.h"
#include "reward/outside_json.h"

namespace rl {
namespace {

using Json = nlohmann::ordered_json;
using Take = std::function<bool(int64_t, const Json&)>;
constexpr const char* spaces = " \t\r\n";

[[noreturn]] void not_an_object(const std::string& file, int64_t line) {
  kernels::fail_usage(
      "{}:{}: is not a JSON object. Each line must be one, such as {{\"question\": ..., \"answer\": ...}}, or the file one list "
      "of them; in UTF-8, and nested 200 levels deep at most.",
      file, line);
}

Json parsed(const std::string& file, int64_t line, std::string_view text) {
  auto row = reward::parse_outside<Json>(text);
  if (!row.is_object()) not_an_object(file, line);
  return row;
}

// One past the brace that closes the object at `begin`; npos if none does.
size_t object_end(std::string_view text, size_t begin) {
  int64_t depth = 0;
  bool quoted = false;
  for (size_t i = begin; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\')
      ++i;
    else if (c == '"')
      quoted = !quoted;
    else if (!quoted && (c == '{' || c == '['))
      ++depth;
    else if (!quoted && (c == '}' || c == ']') && --depth == 0)
      return i + 1;
  }
  return std::string_view::npos;
}

// The objects of a list, one by one, so that each has its line.
void take_list(const std::string& file, std::string_view text, const Take& take) {
  int64_t line = 1;
  size_t at = 0;
  const auto move_to = [&](size_t to) {
    line += std::count(text.begin() + static_cast<std::ptrdiff_t>(at), text.begin() + static_cast<std::ptrdiff_t>(to), '\n');
    at = to;
  };
  const auto next = [&] { move_to(std::min(text.find_first_not_of(spaces, at), text.size())); };
  const auto expect = [&](bool fine) {
    if (!fine) not_an_object(file, line);
  };
  next();
  move_to(at + 1);  // the opening bracket
  for (next(); at < text.size() && text[at] != ']';) {
    expect(text[at] == '{');
    const size_t end = object_end(text, at);
    expect(end != std::string_view::npos);
    if (!take(line, parsed(file, line, text.substr(at, end - at)))) return;
    move_to(end);
    next();
    expect(at < text.size() && (text[at] == ',' || text[at] == ']'));
    if (text[at] == ']') break;
    move_to(at + 1);
    next();
  }
  expect(at < text.size());  // the list is closed
}

void take_lines(const std::string& file, std::istream& in, const Take& take) {
  std::string text;
  for (int64_t line = 1; std::getline(in, text); ++line) {
    if (text.find_first_not_of(spaces) == std::string::npos) continue;
    if (!take(line, parsed(file, line, text))) return;
  }
}

}  // namespace

std::string keys_of(const Json& row) {
  std::vector<std::string> keys;
  for (const auto& item : row.items()) keys.push_back(item.key());
  return fmt::format("{}", fmt::join(keys, ", "));
}

void for_each_row(const std::string& file, const Take& wanted) {
  bool any = false;
  const Take take = [&](int64_t line, const Json& row) {
    any = true;
    return wanted(line, row);
  };
  const kernels::Wait wait(file + " to be read");
  std::ifstream in(file, std::ios::binary);
  if (!in || std::filesystem::is_directory(file))
    kernels::fail_usage("{}: the data file cannot be read. Check the path; it is relative to the working folder.", file);
  in >> std::ws;
  const bool list = in.peek() == '[';
  in.clear();
  in.seekg(0);
  if (list) {
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    take_list(file, text, take);
  } else {
    take_lines(file, in, take);
  }
  if (!any) kernels::fail_usage("{}: the data file has no rows.", file);
}

std::string as_text(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

}  // namespace rl
