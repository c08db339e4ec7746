#include "reward/math/extract.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "reward/extract.h"
#include "reward/math/names.h"
#include "reward/number.h"

namespace reward::math {
namespace {

using std::string_view;
constexpr auto npos = string_view::npos;
constexpr size_t join_distance = 40;    // bytes between boxes that belong together
constexpr size_t phrase_distance = 48;  // bytes between "answer" and its "is"
constexpr size_t longest_sentence = 2000;

bool starts_with(string_view text, string_view word) { return text.substr(0, word.size()) == word; }

// Reads as a lower-case word?
bool word_at(string_view text, size_t i, string_view word) {
  if (i + word.size() > text.size()) return false;
  for (size_t k = 0; k < word.size(); ++k)
    if (lower(text[i + k]) != word[k]) return false;
  const bool begins = i == 0 || !is_letter(text[i - 1]);
  const bool ends = i + word.size() == text.size() || !is_letter(text[i + word.size()]);
  return begins && ends;
}

// " or " or ", " if nothing but white space, signs of formulas and one of these words stands between two boxes.
string_view joint(string_view between) {
  if (between.size() > join_distance) return {};
  bool comma = false, any = false, either = false;
  for (size_t i = 0; i < between.size();) {
    const auto rest = between.substr(i);
    const char c = between[i];
    size_t length = 0;
    for (const string_view layout : {"\\text{", "\\quad", "\\qquad", "\\(", "\\)", "\\[", "\\]", "\\,", "\\;", "\\ "})
      if (starts_with(rest, layout)) length = layout.size();
    if (length == 0 && (word_at(between, i, "and") || word_at(between, i, "or"))) {
      either = either || lower(c) == 'o';
      any = true;
      length = lower(c) == 'o' ? 2 : 3;
    }
    if (length == 0 && (c == ',' || c == ';')) comma = true, length = 1;
    if (length == 0 && !is_space(c) && c != '$' && c != '}' && c != '*') return {};
    i += std::max<size_t>(length, 1);
  }
  return either ? " or " : any || comma ? ", " : string_view();
}

// The last box with those that belong to it.
void take_boxes(string_view text, Extract& out) {
  const auto boxes = find_boxes(text);
  out.boxes = static_cast<int>(boxes.size());
  if (boxes.empty()) return;
  size_t k = boxes.size() - 1;
  std::string answer(trim(boxes[k].content));
  out.found = "box";
  for (int joined = 1; k > 0 && joined < 16; --k, ++joined) {
    const Box &left = boxes[k - 1], &right = boxes[k];
    if (left.end > right.begin) break;  // around it
    const auto by = joint(text.substr(left.end, right.begin - left.end));
    if (by.empty()) break;
    answer = std::string(trim(left.content)) + std::string(by) + answer;
    out.found = "boxes";
  }
  if (!answer.empty()) out.answer = std::move(answer);
}

// The end of the sentence that begins `text`: a line end or a full stop, but not inside a formula.
size_t sentence_end(string_view text) {
  text = text.substr(0, longest_sentence);
  bool formula = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const char next = i + 1 < text.size() ? text[i + 1] : '\n';
    if (c == '\\') {
      if (next == '(' || next == '[') formula = true;
      if (next == ')' || next == ']') formula = false;
      ++i;
    } else if (c == '$') {
      if (next == '$') ++i;
      formula = !formula;
    } else if (c == '\n' && (!formula || next == '\n')) {
      return i;
    } else if (!formula && (c == '.' || c == '!' || c == '?') && (is_space(next) || next == '*')) {
      return c == '!' ? i + 1 : i;  // 5! may be meant
    }
  }
  return text.size();
}

// The answer of a sentence without its reasons: "5, since ..." -> "5".
string_view without_reasons(string_view text) {
  size_t end = text.size();
  for (const string_view reason : {" because ", " since ", ", which ", ", so ", ", as "})
    end = std::min(end, std::min(text.find(reason), end));
  for (auto k = text.find("; "); k < end; k = text.find("; ", k + 1))
    if (k + 2 < text.size() && is_letter(text[k + 2]) && !word_at(text, k + 2, "or") && !word_at(text, k + 2, "and")) end = k;
  while (end > 0 && (text[end - 1] == ',' || is_space(text[end - 1]))) --end;
  return text.substr(0, end);
}

// If "answer" at `i`, in the line that begins at `line`, announces one ("answer is", "answer: ", "**Answer**"), where that
// begins; else npos.
size_t after_phrase(string_view text, size_t line, size_t i) {
  const size_t last = std::min(text.size(), i + phrase_distance);
  size_t k = i + 6;
  if (k < text.size() && lower(text[k]) == 's') ++k;
  bool heading = text[line] == '#' || text[line] == '*', announced = false;
  while (k < last) {
    const char c = text[k];
    if (c == ':' || c == '=') announced = true, ++k;
    else if (c == '*' || c == '#') heading = true, ++k;
    else if (c == '\n') break;
    else if (is_space(c)) ++k;
    else if (word_at(text, k, "is") || word_at(text, k, "are")) announced = true, k += lower(c) == 'i' ? 2 : 3;
    else if (announced || !(is_letter(c) || c == '\'' || c == '(' || c == ')')) break;
    else ++k;  // "answer to the question is"
  }
  if (!announced && !(heading && k < text.size() && text[k] == '\n')) return npos;
  while (k < text.size() && (is_space(text[k]) || text[k] == '*')) ++k;
  return k;
}

struct Mark {
  size_t at = 0;
  string_view answer;
};

// Cuts the ** that opened before the text.
string_view without_bold(string_view text) {
  const auto mark = text.find("**");
  if (mark == npos || text.find("**", mark + 2) != npos) return text;
  const auto rest = trim(text.substr(mark + 2));
  return rest.empty() || rest == "." ? trim(text.substr(0, mark)) : text;
}

std::optional<Mark> last_phrase(string_view text) {
  std::vector<std::pair<size_t, size_t>> found;  // "answer", and what it announces
  size_t line = 0;
  for (size_t i = 0; i + 6 <= text.size(); ++i) {
    if (text[i] == '\n') line = i + 1;
    if (text[i] != 'a' && text[i] != 'A') continue;
    if (!word_at(text, i, "answer") && !word_at(text, i, "answers")) continue;
    if (const size_t begin = after_phrase(text, line, i); begin != npos) found.emplace_back(i, begin);
  }
  for (; !found.empty(); found.pop_back()) {
    auto answer = text.substr(found.back().second);
    answer = without_bold(trim(without_reasons(answer.substr(0, sentence_end(answer)))));
    if (!answer.empty()) return Mark{found.back().first, answer};
  }
  return std::nullopt;
}

std::optional<Mark> last_hashes(string_view text) {
  const auto line = after_hashes(text);
  if (!line || trim(*line).empty()) return std::nullopt;
  return Mark{static_cast<size_t>(line->data() - text.data()), trim(*line)};
}

// Inside the last **...** on one line; of "**5** or **6**" nothing, as there are two answers.
std::optional<Mark> last_bold(string_view text) {
  const auto close = text.rfind("**");
  if (close == npos || close == 0) return std::nullopt;
  const auto open = text.rfind("**", close - 1);
  if (open == npos || open + 2 > close) return std::nullopt;
  const auto inside = text.substr(open + 2, close - open - 2);
  if (inside.find('\n') != npos || trim(inside).empty()) return std::nullopt;
  const auto before = open == 0 ? npos : text.rfind("**", open - 1);
  if (before != npos && joint(text.substr(before + 2, open - before - 2)) == " or ") return std::nullopt;
  return Mark{open, trim(inside)};
}

bool part_of_number(char c) { return is_digit(c) || c == '.' || c == ',' || c == '/'; }

// Is the number at `begin` part of a formula without $ signs, so that it is no answer: the 4 of 7-4, x^4, \frac{3}{4}, \pm 4?
bool is_operand(string_view text, size_t begin, size_t end) {
  if (end < text.size() && text[end] == '}') return true;
  while (begin > 0 && text[begin - 1] == ' ') --begin;
  if (begin == 0) return false;
  const char before = text[begin - 1];
  if (before == '-') {  // a sign, if nothing stands before it
    size_t k = begin - 1;
    while (k > 0 && text[k - 1] == ' ') --k;
    return k > 0 && (is_digit(text[k - 1]) || text[k - 1] == ')' || text[k - 1] == '}');
  }
  if (is_letter(before)) {
    size_t k = begin;
    while (k > 0 && is_letter(text[k - 1])) --k;
    return k > 0 && text[k - 1] == '\\';
  }
  return string_view("+*^_{/").find(before) != npos;
}

// The last number in running text, with its sign: "costs $1,234.50." gives 1,234.50.
std::optional<Mark> last_number(string_view text) {
  auto end = text.size();
  while (end > 0 && !is_digit(text[end - 1])) --end;
  if (end == 0) return std::nullopt;
  auto begin = end;
  while (begin > 0 && part_of_number(text[begin - 1])) --begin;
  while (!is_digit(text[begin]) && text[begin] != '.') ++begin;
  if (is_operand(text, begin, end)) return std::nullopt;
  if (begin > 0 && text[begin - 1] == '-') --begin;
  return Mark{begin, text.substr(begin, end - begin)};
}

// The last formula: $...$, $$...$$, \(...\) or \[...\]. A $ before a digit that closes nothing is money.
std::optional<Mark> last_formula(string_view text) {
  std::optional<Mark> best;
  size_t open = npos, inside = 0;
  bool dollars = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    const auto close = [&](size_t length) {
      const auto content = trim(text.substr(inside, i - inside));
      if (open != npos && !content.empty()) best = Mark{open, content};
      open = npos;
      i += length - 1;
    };
    if (text[i] == '\\') {
      if (next == '(' || next == '[') open = i, inside = i + 2, dollars = false;
      if ((next == ')' || next == ']') && open != npos && !dollars) close(2);
      else ++i;
    } else if (text[i] == '$') {
      const size_t length = next == '$' ? 2 : 1;
      const bool closes = open != npos && dollars && (length == 2 || (!is_space(text[i - 1]) && !is_digit(next)));
      if (closes) close(length);
      else if (open == npos || dollars) open = i, inside = i + length, dollars = true, i += length - 1;
    } else if (text[i] == '\n' && next == '\n') {
      open = npos;
    }
  }
  return best;
}

void take_mark(const std::optional<Mark>& mark, const char* found, Extract& out) {
  if (!mark) return;
  out.answer = std::string(mark->answer);
  out.found = found;
}

void take_marked(string_view text, Extract& out) {
  const auto phrase = last_phrase(text), hashes = last_hashes(text);
  if (hashes && (!phrase || hashes->at > phrase->at)) return take_mark(hashes, "hashes", out);
  if (phrase) return take_mark(phrase, "phrase", out);
  take_mark(last_bold(text), "bold", out);
}

void take_last(string_view text, Extract& out) {
  const auto formula = last_formula(text);
  const size_t behind = formula ? static_cast<size_t>(formula->answer.data() + formula->answer.size() - text.data()) : 0;
  const auto rest = text.substr(behind);
  const auto number = last_number(rest);
  const bool last_digit_behind = std::any_of(rest.begin(), rest.end(), is_digit);  // but no answer, then nor is the formula
  if (number) take_mark(number, "number", out);
  else if (!last_digit_behind) take_mark(formula, "formula", out);
}

}  // namespace

Extract extract(string_view text, Extraction mode) {
  Extract out;
  if (mode == Extraction::whole) {
    const auto whole = trim(text);
    if (!whole.empty()) out.answer = std::string(whole), out.found = "whole";
    return out;
  }
  text = after_thinking(text);
  const auto tag = last_tag(text, "answer");
  const auto section = tag ? *tag : text;
  take_boxes(section, out);
  if (!out.answer && mode != Extraction::strict) take_marked(section, out);
  if (!out.answer && tag && !trim(section).empty() && out.boxes == 0) {
    out.answer = std::string(trim(section));
    out.found = "tag";
  }
  if (!out.answer && mode == Extraction::lenient) take_last(section, out);
  return out;
}

std::string gold_part(string_view gold) {
  if (const auto hashes = after_hashes(gold)) return std::string(trim(*hashes));
  Extract boxes;
  take_boxes(gold, boxes);
  if (boxes.boxes > 0) return boxes.answer.value_or("");
  return std::string(trim(gold));
}

}  // namespace reward::math
