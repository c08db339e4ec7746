#include "reward/extract.h"

#include <string>
#include <vector>

#include "reward/number.h"

namespace reward {
namespace {

constexpr std::string_view think_open = "<think>", think_close = "</think>";
constexpr auto npos = std::string_view::npos;

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// If a box command stands at `i`, the position of its opening brace; else npos.
size_t box_brace(std::string_view text, size_t i) {
  for (const std::string_view command : {"\\boxed", "\\fbox"}) {
    if (text.substr(i, command.size()) != command) continue;
    i += command.size();
    while (i < text.size() && is_space(text[i])) ++i;
    return i < text.size() && text[i] == '{' ? i : npos;
  }
  return npos;
}

bool part_of_number(char c) { return is_digit(c) || c == '.' || c == ',' || c == '/'; }

// Cuts what cannot begin or end a number: the full stop of "is 18." and the comma of "18, then".
std::string_view tidy_number(std::string_view run) {
  while (!run.empty() && !is_digit(run.back())) run.remove_suffix(1);
  while (!run.empty() && !is_digit(run[0]) && run[0] != '.') run.remove_prefix(1);
  return run;
}

}  // namespace

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text[0])) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view after_thinking(const Item& item) {
  const std::string_view text = item.completion;
  const auto open = text.rfind(think_open), close = text.rfind(think_close);
  if (open != npos && (close == npos || open > close)) return {};
  if (close != npos) return text.substr(close + think_close.size());
  return ends_with(trim(item.prompt), think_open) ? std::string_view() : text;
}

std::optional<std::string_view> last_tag(std::string_view text, std::string_view tag) {
  const std::string open = "<" + std::string(tag) + ">", close = "</" + std::string(tag) + ">";
  const auto end = text.rfind(close);
  if (end == npos) return std::nullopt;
  const auto begin = text.substr(0, end).rfind(open);
  if (begin == npos) return std::nullopt;
  return text.substr(begin + open.size(), end - begin - open.size());
}

std::optional<std::string_view> last_box(std::string_view text, int64_t* steps) {
  struct Open {
    size_t content;
    bool box;
  };
  std::vector<Open> open;
  std::optional<std::string_view> best;
  size_t best_begin = 0, i = 0, visits = 0;
  for (; i < text.size(); ++i, ++visits) {
    if (text[i] == '\\') {
      const size_t brace = box_brace(text, i);
      if (brace != npos) open.push_back({brace + 1, true});
      visits += brace != npos ? brace - i : 1;
      i = brace != npos ? brace : i + 1;  // \{ and \} are no braces
    } else if (text[i] == '{') {
      open.push_back({i + 1, false});
    } else if (text[i] == '}' && !open.empty()) {
      const auto [begin, box] = open.back();
      open.pop_back();
      if (box && begin > best_begin) best = text.substr(begin, i - begin), best_begin = begin;
    }
  }
  if (steps) *steps = static_cast<int64_t>(visits);
  return best;
}

std::optional<std::string_view> after_hashes(std::string_view text) {
  const auto mark = text.rfind("####");
  if (mark == npos) return std::nullopt;
  const auto rest = text.substr(mark + 4);
  return rest.substr(0, rest.find('\n'));
}

std::optional<std::string_view> last_number(std::string_view text) {
  auto end = text.size();
  while (end > 0 && !is_digit(text[end - 1])) --end;
  if (end == 0) return std::nullopt;
  auto begin = end;
  while (begin > 0 && part_of_number(text[begin - 1])) --begin;
  const auto number = tidy_number(text.substr(begin, end - begin));
  const auto start = static_cast<size_t>(number.data() - text.data());
  const bool minus = start > 0 && text[start - 1] == '-';
  const bool binary = start > 1 && (is_digit(text[start - 2]) || is_letter(text[start - 2]) || text[start - 2] == ')');
  return minus && !binary ? text.substr(start - 1, number.size() + 1) : number;
}

}  // namespace reward
