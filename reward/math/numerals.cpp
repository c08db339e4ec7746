// Numerals of several tokens: groups of thousands and numbers with a base.
#include <algorithm>

#include "reward/math/lexer.h"
#include "reward/math/names.h"
#include "reward/number.h"

namespace reward::math {
namespace {

bool plain_digits(const Token& token) {
  return token.type == Token::number && !token.scientific && std::all_of(token.text.begin(), token.text.end(), is_digit);
}

// Three digits, or three digits with a fraction at the end of the numeral.
bool is_group(const Token& token) {
  if (token.type != Token::number || token.scientific || token.text.size() < 3) return false;
  const bool three = std::all_of(token.text.begin(), token.text.begin() + 3, is_digit);
  return three && (token.text.size() == 3 || token.text[3] == '.');
}

bool ends_numeral(const Token& group) { return group.text.size() > 3; }

// For each opening bracket of ( [ { \{ and for the top level: does a comma in it have a blank behind it? Marked on the
// commas themselves: value 1 if plain commas of their level may part groups.
void mark_commas(Tokens& tokens) {
  struct Level {
    bool bracket, spaced;
    std::vector<size_t> commas;
  };
  std::vector<Level> levels = {{false, false, {}}};
  const auto close = [&] {
    const Level& level = levels.back();
    for (const size_t k : level.commas) tokens[k].value = !level.bracket || level.spaced;
    levels.pop_back();
  };
  for (size_t k = 0; k < tokens.size(); ++k) {
    const Token& token = tokens[k];
    if (token.type != Token::sign) continue;
    const auto& text = token.text;
    if (text == "(" || text == "[" || text == "\\{" || text == "{") levels.push_back({text != "{", false, {}});
    else if ((text == ")" || text == "]" || text == "\\}" || text == "}") && levels.size() > 1) close();
    else if (text == ",") {
      levels.back().commas.push_back(k);
      levels.back().spaced = levels.back().spaced || tokens[k + 1].gap != Gap::none;
    }
  }
  while (!levels.empty()) close();
}

enum class Separator : uint8_t { none, comma, protected_comma, thin, space };

// What parts the number at `k` from the number behind it, and where that one stands.
Separator separator_after(const Tokens& tokens, size_t k, size_t& next) {
  const Token& token = tokens[k + 1];
  next = k + 1;
  if (token.type == Token::number) return token.gap == Gap::thin ? Separator::thin : Separator::space;
  if (token.type != Token::sign || tokens[k + 2].type != Token::number) return Separator::none;
  next = k + 2;
  if (token.text == "{,}") return Separator::protected_comma;
  const bool tight = token.gap == Gap::none && tokens[k + 2].gap == Gap::none;
  return token.text == "," && tight ? Separator::comma : Separator::none;
}

// If groups of thousands begin at `begin`, the index of the last of them; else `begin`.
size_t last_group(const Tokens& tokens, size_t begin, const Hint& hint) {
  const Token& first = tokens[begin];
  if (!plain_digits(first) || first.text.size() > 3 || first.text[0] == '0') return begin;
  size_t next = begin, last = begin, count = 1;
  const auto kind = separator_after(tokens, begin, next);
  if (kind == Separator::none) return begin;
  if (kind == Separator::comma && tokens[begin + 1].value == 0) return begin;
  for (; separator_after(tokens, last, next) == kind; ++count) {
    if (!is_group(tokens[next]) || (last != begin && ends_numeral(tokens[last]))) return begin;
    last = next;
  }
  const bool listed = kind == Separator::comma && hint.elements == count;
  const bool mixed = kind == Separator::space && (tokens[last + 1].is_sign("/") || tokens[last + 1].type == Token::command);
  return listed || mixed ? begin : last;
}

// The last number of the run that begins at `begin` and is parted by one kind of separator.
size_t run_end(const Tokens& tokens, size_t begin) {
  size_t next = begin, last = begin;
  const auto kind = separator_after(tokens, begin, next);
  while (kind != Separator::none && separator_after(tokens, last, next) == kind) last = next;
  return last;
}

void join_groups(Tokens& tokens, const Hint& hint) {
  mark_commas(tokens);
  Tokens out;
  out.reserve(tokens.size());
  size_t listed = 0;  // below it, numbers are parts of a run that is no numeral: the 54,108 of 27,54,108
  for (size_t k = 0; k < tokens.size(); ++k) {
    out.push_back(tokens[k]);
    if (tokens[k].type != Token::number || k < listed) continue;
    const size_t last = last_group(tokens, k, hint);
    if (last == k) listed = run_end(tokens, k) + 1;
    for (size_t j = k + 1; j <= last; ++j)
      if (tokens[j].type == Token::number) out.back().text += tokens[j].text;
    k = last;
  }
  tokens = std::move(out);
}

int digit_value(char c) { return is_digit(c) ? c - '0' : c >= 'A' && c <= 'Z' ? c - 'A' + 10 : 99; }

bool is_numeral_in(const std::string& digits, int64_t base) {
  return std::all_of(digits.begin(), digits.end(), [&](char c) { return c == '.' || digit_value(c) < base; });
}

// The base that a subscript at `k` names: _5, _{12}, _{\text{five}}, _{\text{base 5}}. 0 if none; `end` is behind it.
int64_t base_at(const Tokens& tokens, size_t k, size_t& end) {
  if (!tokens[k].is_sign("_")) return 0;
  const bool braced = tokens[k + 1].is_sign("{");
  size_t j = k + (braced ? 2 : 1);
  if (tokens[j].type == Token::word && lower(tokens[j].text) == "base") ++j;
  const Token& token = tokens[j];
  int64_t base = -1;
  if (token.type == Token::word) base = number_of_word(token.text);
  else if (plain_digits(token) && token.text.size() <= 2) base = std::stoi(token.text);
  if (braced && !tokens[j + 1].is_sign("}")) return 0;
  end = j + (braced ? 2 : 1);
  return base >= 2 && base <= 36 ? base : 0;
}

// "204 base 5"
int64_t spoken_base_at(const Tokens& tokens, size_t k, size_t& end) {
  if (tokens[k].type == Token::word && lower(tokens[k].text) == "in") ++k;
  if (tokens[k].type != Token::word || lower(tokens[k].text) != "base") return 0;
  const Token& token = tokens[k + 1];
  int64_t base = -1;
  if (token.type == Token::word) base = number_of_word(token.text);
  else if (plain_digits(token) && token.text.size() <= 2) base = std::stoi(token.text);
  end = k + 2;
  return base >= 2 && base <= 36 ? base : 0;
}

bool is_upper_run(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

void join_bases(Tokens& tokens) {
  Tokens out;
  out.reserve(tokens.size());
  for (size_t k = 0; k < tokens.size(); ++k) {
    out.push_back(tokens[k]);
    const bool letters = tokens[k].type == Token::word && is_upper_run(tokens[k].text) &&
                         (tokens[k].text.size() > 1 || plain_digits(tokens[k + 1]));  // AB_{16}, A5_{11}
    if (!letters && (tokens[k].type != Token::number || tokens[k].scientific)) continue;
    std::string digits = tokens[k].text;
    size_t last = k, end = 0;
    while (tokens[last + 1].gap == Gap::none && digits.back() != '.' &&
           ((tokens[last + 1].type == Token::word && is_upper_run(tokens[last + 1].text)) ||
            ((last > k || letters) && plain_digits(tokens[last + 1]))))
      digits += tokens[++last].text;
    int64_t base = base_at(tokens, last + 1, end);
    if (base == 0) base = spoken_base_at(tokens, last + 1, end);
    if (base == 0 || !is_numeral_in(digits, base)) {
      for (size_t j = k + 1; j <= last; ++j) out.push_back(tokens[j]);
      k = last;
      continue;
    }
    out.back().type = Token::based;
    out.back().text = digits;
    out.back().value = base;
    k = end - 1;
  }
  tokens = std::move(out);
}

}  // namespace

void join_numerals(Tokens& tokens, const Hint& hint) {
  join_groups(tokens, hint);
  join_bases(tokens);
}

}  // namespace reward::math
