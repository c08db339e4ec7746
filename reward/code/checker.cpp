#include "reward/code/checker.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

#include "reward/extract.h"
#include "reward/number.h"
#include "reward/reward.h"

namespace reward::code {
namespace {

using Kind = Checker::Kind;
using Words = std::vector<std::string_view>;

Words words_of(std::string_view text) {
  Words words;
  for (size_t at = 0; at < text.size();) {
    if (is_space(text[at])) {
      ++at;
      continue;
    }
    size_t end = at;
    while (end < text.size() && !is_space(text[end])) ++end;
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

Words lines_of(std::string_view text) {
  Words lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    while (!line.empty() && is_space(line.back())) line.remove_suffix(1);
    lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

std::vector<std::string> sorted_lines(std::string_view text) {
  std::vector<std::string> out;
  for (const auto line : lines_of(text)) {
    std::string joined;
    for (const auto word : words_of(line)) joined.append(joined.empty() ? "" : " ").append(word);
    if (!joined.empty()) out.push_back(std::move(joined));
  }
  std::sort(out.begin(), out.end());
  return out;
}

// A decimal number: digits with a point or an exponent, no nan, inf or hex. Longer than 400 characters is no number.
struct Decimal {
  double value = 0;
  bool whole = false;  // written without point and exponent
};
std::optional<Decimal> read_decimal(std::string_view word) {
  if (word.size() > 1 && word[0] == '+' && word[1] != '-') word.remove_prefix(1);
  if (word.size() > 400 || !std::any_of(word.begin(), word.end(), is_digit)) return std::nullopt;
  const bool clean = std::all_of(word.begin(), word.end(), [](char c) {
    return is_digit(c) || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E';
  });
  Decimal decimal;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), decimal.value);
  if (!clean || error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  decimal.whole = word.find_first_of(".eE") == std::string_view::npos;
  return decimal;
}

bool close(std::string_view printed, std::string_view expected, double tolerance) {
  if (printed == expected) return true;
  const auto a = read_decimal(printed), b = read_decimal(expected);
  if (!a || !b || (a->whole && b->whole)) return false;
  return std::fabs(a->value - b->value) <= tolerance * std::max(1.0, std::fabs(b->value));
}

std::string lower(std::string_view word) {
  std::string out(word);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

bool same_answer(std::string_view printed, std::string_view expected) {
  if (printed == expected) return true;
  const auto word = lower(expected);
  return (word == "yes" || word == "no") && lower(printed) == word;
}

template <typename Same>
bool all_same(const Words& printed, const Words& expected, Same same) {
  return std::equal(printed.begin(), printed.end(), expected.begin(), expected.end(), same);
}

}  // namespace

Checker parse_checker(const std::string& name) {
  if (name == "tokens") return {Kind::tokens};
  if (name == "lines") return {Kind::lines};
  if (name == "exact") return {Kind::exact};
  if (name == "unordered_lines") return {Kind::unordered_lines};
  if (name == "yes_no") return {Kind::yes_no};
  if (name.rfind("float:", 0) == 0) {
    const auto number = read_decimal(std::string_view(name).substr(6));
    if (number && number->value > 0 && number->value < 1) return {Kind::floats, number->value};
  }
  throw Error(fmt::format("checker is \"{}\". Set it to tokens, lines, exact, unordered_lines, yes_no or float:TOLERANCE, such as"
                          " float:1e-6, with a tolerance between 0 and 1.", name.substr(0, 80)));
}

bool accepts(const Checker& checker, std::string_view printed, std::string_view expected) {
  switch (checker.kind) {
    case Kind::tokens: return words_of(printed) == words_of(expected);
    case Kind::lines: return lines_of(printed) == lines_of(expected);
    case Kind::exact: return printed == expected;
    case Kind::unordered_lines: return sorted_lines(printed) == sorted_lines(expected);
    case Kind::yes_no: return all_same(words_of(printed), words_of(expected), same_answer);
    case Kind::floats:
      return all_same(words_of(printed), words_of(expected), [&](std::string_view a, std::string_view b) {
        return close(a, b, checker.tolerance);
      });
  }
  return false;
}

}  // namespace reward::code
