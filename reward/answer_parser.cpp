#include "reward/answer_parser.h"

#include <algorithm>
#include <array>
#include <utility>

#include "reward/extract.h"

namespace reward {
namespace {

using std::string;
using std::string_view;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
string lower(string_view text) {
  string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

template <size_t N>
bool contains(const std::array<string_view, N>& words, string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Units known without \text. No single letters: in "2t" the t is a variable.
constexpr std::array<string_view, 37> known_units = {
    "dollar", "cent",  "degree", "unit", "percent", "mm",    "cm",     "km",   "meter",   "metre",  "inch",  "inches", "foot",
    "feet",   "ft",    "yard",   "mile", "second",  "minute", "hour",   "day",  "week",    "month",  "year",  "gram",   "kg",
    "pound",  "lb",    "ounce",  "oz",   "liter",   "litre", "gallon", "mph",  "people",  "person", "euro"};

// Words that change the value, so that "5 \text{ million}" is not 5.
constexpr std::array<string_view, 36> number_words = {
    "hundred", "thousand", "million", "billion", "trillion", "dozen", "dozens", "score", "pi",    "squared", "cubed", "factorial",
    "half",    "halves",   "third",   "thirds",  "quarter",  "quarters", "and",  "or",    "to",    "less",    "more",  "than",
    "plus",    "minus",    "times",   "over",    "not",      "no",    "mod",    "base",  "about", "negative", "per",   "of"};

// Spacing and sizing that means nothing; what stands in its place.
constexpr std::array<std::pair<string_view, string_view>, 24> replacements = {{
    {"\\$", ""},   {"$", ""},    {"\\(", ""},  {"\\)", ""}, {"\\[", ""},  {"\\]", ""},  {"\\,", ""}, {"\\!", ""},
    {"\\;", " "},  {"\\:", " "}, {"\\ ", " "}, {"~", " "},  {"\\%", "%"}, {"{,}", ","}, {"\u2212", "-"}, {"\u00a0", " "},
    {"\\dfrac", "\\frac"}, {"\\tfrac", "\\frac"}, {"\\cfrac", "\\frac"}, {"\\left", ""}, {"\\right", ""},
    {"\\displaystyle", ""}, {"^\\circ", "\u00b0"}, {"^{\\circ}", "\u00b0"}}};
constexpr std::array<string_view, 7> text_commands = {"\\text{",   "\\mathrm{", "\\textbf{",       "\\mathbf{",
                                                      "\\textit{", "\\mbox{",   "\\operatorname{"};

// The brace that closes the one before `begin`, or npos.
size_t closing_brace(string_view text, size_t begin) {
  int depth = 1;
  for (size_t i = begin; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return i;
  }
  return string_view::npos;
}

// Length of the text command at `i`, 0 if none.
size_t text_command(string_view text, size_t i) {
  if (text[i] != '\\') return 0;
  for (const auto command : text_commands)
    if (text.substr(i, command.size()) == command) return command.size();
  return 0;
}

const std::pair<string_view, string_view>* replacement_at(string_view text, size_t i) {
  for (const auto& pair : replacements) {
    const auto [from, to] = pair;
    if (text.substr(i, from.size()) != from) continue;
    const size_t end = i + from.size();
    const bool word = from.size() > 2 && from[0] == '\\' && from != "\\dfrac" && from != "\\tfrac" && from != "\\cfrac";
    if (word && end < text.size() && is_letter(text[end])) continue;  // \left is not the front of \leftarrow
    return &pair;
  }
  return nullptr;
}

// Replaces as above and unwraps \text{...}. White space becomes single blanks.
string simplify(string_view text) {
  string out;
  std::vector<size_t> closings;  // braces of unwrapped commands
  const auto put = [&](string_view piece) {
    for (const char c : piece)
      if (!is_space(c)) out += c;
      else if (!out.empty() && out.back() != ' ') out += ' ';
  };
  for (size_t i = 0; i < text.size();) {
    if (const auto* pair = replacement_at(text, i)) {
      put(pair->second);
      i += pair->first.size();
    } else if (const size_t length = text_command(text, i)) {
      const size_t end = closing_brace(text.substr(0, std::min(text.size(), i + 256)), i + length);
      if (end == string_view::npos) put(text.substr(i, length));
      else closings.push_back(end);
      i += length;
    } else {
      if (!closings.empty() && closings.back() == i) closings.pop_back();
      else put(text.substr(i, 1));
      ++i;
    }
  }
  return out;
}

// Trims, and cuts **bold** and the full stop of a sentence.
string_view strip(string_view text) {
  text = trim(text);
  while (text.size() > 4 && text.substr(0, 2) == "**" && text.substr(text.size() - 2) == "**")
    text = trim(text.substr(2, text.size() - 4));
  if (text.size() > 1 && text.back() == '.') text.remove_suffix(1);
  return trim(text);
}

string unit_name(string unit) {
  if (unit == "percent") return "%";
  if (unit.size() > 2 && unit.back() == 's') unit.pop_back();
  return unit;
}

// "18\text{ dollars}" -> {"18", "dollar"}: words in a \text at the end, unless they change the value.
std::optional<std::pair<string_view, string>> split_text_unit(string_view text) {
  text = trim(text);
  if (text.empty() || text.back() != '}') return std::nullopt;
  const auto begin = text.rfind('\\');
  const size_t length = begin == string_view::npos ? 0 : text_command(text, begin);
  if (length == 0) return std::nullopt;
  const string words = lower(trim(text.substr(begin + length, text.size() - begin - length - 1)));
  if (words.size() < 2) return std::nullopt;
  for (size_t i = 0; i < words.size();) {
    size_t end = i;
    while (end < words.size() && is_letter(words[end])) ++end;
    if (end < words.size() && words[end] != ' ') return std::nullopt;
    if (contains(number_words, string_view(words).substr(i, end - i))) return std::nullopt;
    i = end + 1;
  }
  return std::make_pair(text.substr(0, begin), unit_name(words));
}

// "18 dollars", "50%", "45°" -> number and unit.
std::optional<std::pair<string_view, string>> split_plain_unit(string_view text) {
  const string_view degree = "\u00b0";
  if (text.size() > 1 && text.back() == '%') return std::make_pair(text.substr(0, text.size() - 1), string("%"));
  if (text.size() > 2 && text.substr(text.size() - degree.size()) == degree)
    return std::make_pair(text.substr(0, text.size() - degree.size()), string("degree"));
  size_t begin = text.size();
  while (begin > 0 && is_letter(text[begin - 1])) --begin;
  string unit = lower(text.substr(begin));
  const bool known = contains(known_units, unit) || (!unit.empty() && unit.back() == 's' &&
                                                     contains(known_units, string_view(unit).substr(0, unit.size() - 1)));
  if (!known) return std::nullopt;
  return std::make_pair(text.substr(0, begin), unit_name(unit));
}

// Lower case; blanks stay only where they part two words or numbers.
string comparable(string_view text) {
  const auto word = [](char c) { return is_letter(c) || is_digit(c) || static_cast<unsigned char>(c) >= 0x80; };
  string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool parts = i > 0 && i + 1 < text.size() && word(text[i - 1]) && word(text[i + 1]);
    if (text[i] != ' ' || parts) out += lower(text[i]);
  }
  return out;
}

// Bytes of the UTF-8 character at `i`, 0 if there is none.
size_t utf8_length(string_view text, size_t i) {
  const auto byte = [&](size_t k) { return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u; };
  const unsigned first = byte(0);
  const size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  for (size_t k = 1; k < length; ++k)
    if ((byte(k) & 0xc0) != 0x80) return 0;
  const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  const bool outside = (first == 0xed && byte(1) > 0x9f) || (first == 0xf4 && byte(1) > 0x8f);
  return overlong || outside ? 0 : length;
}

}  // namespace

MathAnswer read_math_answer(string_view raw) {
  if (raw.size() > most_answer_bytes) return {};
  MathAnswer answer;
  const string whole = simplify(raw);
  const string_view text = strip(whole);
  answer.text = comparable(text);
  if ((answer.value = parse_number(text))) {
    if (raw.find("\\$") != string_view::npos) answer.unit = "dollar";
    return answer;
  }
  const auto plain = split_plain_unit(text);
  if (plain && (answer.value = parse_number(plain->first))) {
    answer.unit = plain->second;
    return answer;
  }
  if (const auto marked = split_text_unit(strip(raw))) {
    const string front = simplify(marked->first);
    if ((answer.value = parse_number(strip(front)))) answer.unit = marked->second;
  }
  return answer;
}

bool same_answer(const MathAnswer& a, const MathAnswer& b) {
  if (a.value && b.value) return *a.value == *b.value && (a.unit == b.unit || a.unit.empty() || b.unit.empty());
  if (a.value || b.value) return false;
  return !a.text.empty() && a.text == b.text;
}

bool readable(string_view text) {
  int depth = 0;
  for (size_t i = 0; i < text.size();) {
    const size_t length = utf8_length(text, i);
    const auto c = static_cast<unsigned char>(text[i]);
    if (length == 0 || c == 0x7f || (c < 0x20 && !is_space(text[i]))) return false;
    if (c == '{') ++depth;
    if (c == '}' && --depth < 0) return false;
    i += length;
  }
  return depth == 0;
}

}  // namespace reward
