#include "rl/json_rows.h"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>

#include "kernels/error.h"

namespace rl {
namespace {

using Take = std::function<bool(int64_t, const nlohmann::json&)>;
constexpr const char* spaces = " \t\r\n";

[[noreturn]] void not_an_object(const std::string& file, int64_t line) {
  kernels::fail_usage(
      "{}:{}: is not a JSON object. Each line must be one, such as {{\"question\": ..., \"answer\": ...}}; or the "
      "file one list of them.",
      file, line);
}

nlohmann::json parsed(const std::string& file, int64_t line, std::string_view text) {
  auto row = nlohmann::json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
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

}  // namespace

void for_each_row(const std::string& file, const Take& take) {
  std::ifstream in(file, std::ios::binary);
  if (!in)
    kernels::fail_usage("{}: the data file cannot be read. Check the path; it is relative to the working folder.", file);
  in >> std::ws;
  const bool list = in.peek() == '[';
  in.clear();
  in.seekg(0);
  if (list) {
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    return take_list(file, text, take);
  }
  std::string text;
  for (int64_t line = 1; std::getline(in, text); ++line) {
    if (text.find_first_not_of(spaces) == std::string::npos) continue;
    if (!take(line, parsed(file, line, text))) return;
  }
}

std::string as_text(const nlohmann::json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

std::string asked_text(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return "";
  for (const auto& message : value) {
    if (!message.is_object()) return "";
    const auto role = message.find("role"), content = message.find("content");
    if (role != message.end() && *role == "user" && content != message.end() && content->is_string())
      return content->get<std::string>();
  }
  return "";
}

}  // namespace rl
