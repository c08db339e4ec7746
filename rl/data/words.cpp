#include "rl/data/words.h"

#include <utf8proc.h>

namespace rl {
namespace {

constexpr int64_t few_letters = 20;

bool ascii_digit(char c) { return c >= '0' && c <= '9'; }
bool ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool counts(utf8proc_int32_t c) {
  switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return true;
    default: return false;
  }
}

// Appends the character at `at` to `out` if it is a letter or a digit, and moves behind it. Wrong bytes are skipped.
bool take_character(std::string_view text, size_t& at, std::string& out) {
  const char c = text[at];
  if (static_cast<unsigned char>(c) < 0x80) {
    ++at;
    const bool good = ascii_digit(c) || ascii_letter(c);
    if (good) out += lower(c);
    return good;
  }
  utf8proc_int32_t point = 0;
  const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at,
                                       static_cast<utf8proc_ssize_t>(text.size() - at), &point);
  if (length <= 0) {
    ++at;
    return false;
  }
  at += static_cast<size_t>(length);
  if (!counts(point)) return false;
  utf8proc_uint8_t bytes[4];
  out.append(reinterpret_cast<const char*>(bytes),
             static_cast<size_t>(utf8proc_encode_char(utf8proc_tolower(point), bytes)));
  return true;
}

// FNV-1a.
uint64_t hash_of(const std::string& text) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

// What may stand around a hyphen in LaTeX, as in "$x$-axis".
bool layout(char c) { return c == ' ' || c == '$' || c == '{' || c == '}'; }

// A sign is a plus, or a minus that does not stand between letters, where it may be a hyphen.
bool is_sign(std::string_view text, size_t i) {
  if (text[i] == '+') return true;
  if (text[i] != '-') return false;
  size_t before = i, after = i + 1;
  while (before > 0 && layout(text[before - 1])) --before;
  while (after < text.size() && layout(text[after])) ++after;
  return !(before > 0 && ascii_letter(text[before - 1]) && after < text.size() && ascii_letter(text[after]));
}

// The runs of digits and the signs, one after the other: "-1,000 at 2.5" gives "-1000 2 5 ".
std::string numbers_and_signs(std::string_view text) {
  std::string out;
  const auto digit = [&](size_t i) { return i < text.size() && ascii_digit(text[i]); };
  for (size_t i = 0; i < text.size(); ++i) {
    if (is_sign(text, i)) out += text[i];
    if (!digit(i)) continue;
    out += text[i];
    const bool thousands =
        i + 1 < text.size() && text[i + 1] == ',' && digit(i + 2) && digit(i + 3) && digit(i + 4) && !digit(i + 5);
    if (thousands) ++i;
    else if (!digit(i + 1)) out += ' ';
  }
  return out;
}

// Without white space, dollars and full stops (but the points of numbers), in lower case.
std::string bare(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool point = c == '.' && !(i + 1 < text.size() && ascii_digit(text[i + 1]));
    if (c != ' ' && c != '\n' && c != '\t' && c != '\r' && c != '$' && !point) out += lower(c);
  }
  return out;
}

}  // namespace

std::string letters_and_digits(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) take_character(text, at, out);
  return out;
}

std::vector<Word> words_of(std::string_view text) {
  std::vector<Word> words;
  std::string word;
  size_t begin = 0;
  for (size_t at = 0; at <= text.size();) {
    const size_t here = at;
    if (here < text.size() && take_character(text, at, word)) continue;
    if (!word.empty()) words.push_back({hash_of(word), begin, here});
    word.clear();
    if (here == text.size()) break;
    begin = at;
  }
  return words;
}

bool same_numbers(std::string_view a, std::string_view b) {
  int64_t letters = 0;
  for (const char c : a) letters += ascii_letter(c) || static_cast<unsigned char>(c) >= 0xc0;
  return letters < few_letters ? bare(a) == bare(b) : numbers_and_signs(a) == numbers_and_signs(b);
}

}  // namespace rl
