#include "reward/choice_text.h"

#include <algorithm>
#include <optional>

#include "reward/extract.h"

namespace reward {
namespace {

constexpr size_t sentence = 200;  // bytes after a marker that are looked at

bool word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '\'';
}
bool beyond_ascii(char c) { return static_cast<unsigned char>(c) >= 0x80; }
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool take(std::string_view& text, std::string_view word) {
  if (text.substr(0, word.size()) != word) return false;
  text.remove_prefix(word.size());
  return true;
}

void skip_spaces(std::string_view& text) {
  while (!text.empty() && (text[0] == ' ' || text[0] == '\t')) text.remove_prefix(1);
}

// A whole word at the front, in any case; taken with the spaces after it.
bool take_word(std::string_view& text, std::string_view word) {
  if (text.size() < word.size()) return false;
  for (size_t i = 0; i < word.size(); ++i)
    if (lower(text[i]) != word[i]) return false;
  if (text.size() > word.size() && word_byte(text[word.size()])) return false;
  text.remove_prefix(word.size());
  skip_spaces(text);
  return true;
}

// Without what only changes the look: * _ $ ` { } and the LaTeX commands for fonts.
std::string plain(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    bool command = false;
    for (const std::string_view name : {"\\textbf", "\\text", "\\mathrm", "\\mathbf", "\\left", "\\right", "\\,", "\\ "})
      if (!command) command = take(text, name);
    if (command) continue;
    const char c = text[0];
    text.remove_prefix(1);
    if (c != '*' && c != '_' && c != '$' && c != '`' && c != '{' && c != '}') out += c;
  }
  return out;
}

struct Head {
  char letter;
  bool enclosed;          // in parentheses or brackets
  std::string_view rest;  // after it
};

// A letter at the front, in parentheses or brackets or bare; a bare one must end there as a word.
std::optional<Head> read_head(std::string_view text, char last) {
  const char close = text.empty() ? 0 : text[0] == '(' ? ')' : text[0] == '[' ? ']' : 0;
  if (close != 0) {
    text.remove_prefix(1);
    skip_spaces(text);
  }
  if (text.empty() || upper(text[0]) < 'A' || upper(text[0]) > last) return std::nullopt;
  const char letter = text[0];
  text.remove_prefix(1);
  if (close != 0) {
    skip_spaces(text);
    if (!take(text, std::string_view(&close, 1))) return std::nullopt;
  }
  if (close == 0 && !text.empty() && word_byte(text[0])) return std::nullopt;
  return Head{letter, close != 0, text};
}

// "or B", ", B", "/B" right after the first letter.
bool second_letter_follows(std::string_view rest, char first, char last) {
  while (!rest.empty() && (rest[0] == ' ' || rest[0] == '.' || rest[0] == ')')) rest.remove_prefix(1);
  bool separated = false;
  for (bool more = true; more;) {
    more = take_word(rest, "or") || take_word(rest, "and") || take(rest, ",") || take(rest, "/") || take(rest, "&");
    separated = separated || more;
    skip_spaces(rest);
  }
  const auto head = separated ? read_head(rest, last) : std::nullopt;
  if (!head || upper(head->letter) == upper(first)) return false;
  // ", A boat" and ", I think" are a sentence that goes on.
  const bool word = !head->enclosed && (upper(head->letter) == 'A' || upper(head->letter) == 'I');
  return !word || trim(head->rest).empty() || head->rest[0] != ' ' || second_letter_follows(head->rest, head->letter, last);
}

// "(B)" or "B)" of another letter anywhere in the rest.
bool other_label_in(std::string_view rest, char first, char last) {
  for (size_t i = 1; i < rest.size(); ++i) {
    const char letter = upper(rest[i - 1]);
    if (rest[i] != ')' || letter < 'A' || letter > last || letter == upper(first)) continue;
    const char before = i >= 2 ? rest[i - 2] : ' ';
    if (before == '(' || is_space(before) || before == ',') return true;
  }
  return false;
}

bool ends_label(std::string_view rest) {
  if (rest.empty() || rest[0] == '\n' || beyond_ascii(rest[0])) return true;
  const bool mark = std::string_view(".,;:!?)]").find(rest[0]) != std::string_view::npos;
  return mark && (rest.size() == 1 || is_space(rest[1]) || beyond_ascii(rest[1]) || rest[1] == ')' || rest[1] == '.');
}

// What a head and the text after it say. In a place of its own (`alone`) every label counts; in running text those of the
// next sentence do not.
Choice judge(const Head& head, char last, bool alone) {
  const std::string_view after = head.rest.substr(0, std::min(head.rest.find('\n'), sentence));
  if (second_letter_follows(after, head.letter, last) || (alone && other_label_in(head.rest, head.letter, last)))
    return {Choice::Kind::several, 0, std::string(1, head.letter) + std::string(after.substr(0, 60))};
  std::string_view words = head.rest;
  skip_spaces(words);
  const bool reason = take_word(words, "because") || take_word(words, "since") || take_word(words, "as");
  if (!head.enclosed && !ends_label(head.rest) && !reason && !trim(head.rest).empty()) return {};
  return {Choice::Kind::letter, upper(head.letter), std::string(1, upper(head.letter))};
}

Choice after_marker(std::string_view text, char last) {
  skip_spaces(text);
  bool linked = false;
  for (const std::string_view link : {"is", "are"}) linked = linked || take_word(text, link);
  for (const std::string_view link : {":", "=", "\uff1a", "\u662f", "\u4e3a", "\u9009"}) {
    skip_spaces(text);
    linked = take(text, link) || linked;
  }
  if (!linked) return {};
  while (!text.empty() && is_space(text[0])) text.remove_prefix(1);
  for (const std::string_view word : {"option", "choice", "letter"}) take_word(text, word);
  const auto head = read_head(text, last);
  if (!head || (!head->enclosed && upper(head->letter) != head->letter)) return {};
  return judge(*head, last, false);
}

Choice last_marked(const std::string& text, const std::string& lowered, std::string_view marker, char last) {
  for (auto at = lowered.rfind(marker); at != std::string::npos;
       at = at == 0 ? std::string::npos : lowered.rfind(marker, at - 1)) {
    if (at > 0 && word_byte(text[at - 1]) && !beyond_ascii(marker[0])) continue;
    const auto found = after_marker(std::string_view(text).substr(at + marker.size(), sentence), last);
    if (found.kind != Choice::Kind::none) return found;
  }
  return {};
}

}  // namespace

Choice read_choice(std::string_view place, char last) {
  const std::string text = plain(place);
  std::string_view rest = trim(text);
  for (const std::string_view word : {"answer", "option", "choice"})
    if (take_word(rest, word)) {
      take_word(rest, "is");
      take(rest, ":");
      skip_spaces(rest);
    }
  const auto head = read_head(rest, last);
  return head ? judge(*head, last, true) : Choice();
}

Choice find_choice(std::string_view whole, char last) {
  const std::string text = plain(whole);
  std::string_view line = trim(text);
  if (const auto end = line.rfind('\n'); end != std::string_view::npos) line = trim(line.substr(end + 1));
  if (const auto head = read_head(line, last)) {
    const bool ends = head->rest.empty() || head->rest == "." || head->rest == ")";
    if (ends && (head->enclosed || upper(head->letter) == head->letter)) return judge(*head, last, true);
  }
  std::string lowered = text;
  std::transform(lowered.begin(), lowered.end(), lowered.begin(), lower);
  for (const std::string_view marker : {"answer", "\u7b54\u6848", "option", "choice"})
    if (const auto found = last_marked(text, lowered, marker, last); found.kind != Choice::Kind::none) return found;
  return {};
}

}  // namespace reward
