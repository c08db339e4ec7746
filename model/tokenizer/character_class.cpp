#include "model/tokenizer/character_class.h"

#include <utf8proc.h>

#include "model/tokenizer/utf8.h"

namespace model {

namespace {

utf8proc_category_t category(char32_t c) { return utf8proc_category(static_cast<utf8proc_int32_t>(c)); }

bool between(char32_t c, char32_t low, char32_t high) { return c >= low && c <= high; }

// Circled and squared letters: symbols by category, but alphabetic.
bool is_letter_like_symbol(char32_t c) {
  return between(c, 0x24b6, 0x24e9) || between(c, 0x1f130, 0x1f149) || between(c, 0x1f150, 0x1f169) ||
         between(c, 0x1f170, 0x1f189);
}

}  // namespace

bool is_space(char32_t c) {
  return between(c, 9, 13) || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 || between(c, 0x2000, 0x200a) || c == 0x2028 ||
         c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool is_word(char32_t c) {
  if (c < 0x80) return between(c, 'a', 'z') || between(c, 'A', 'Z') || between(c, '0', '9') || c == '_';
  switch (category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
      return true;
    default:
      return c == 0x200c || c == 0x200d || is_letter_like_symbol(c);
  }
}

bool is_numeric(char32_t c) {
  if (c < 0x80) return between(c, '0', '9');
  const auto k = category(c);
  return k == UTF8PROC_CATEGORY_ND || k == UTF8PROC_CATEGORY_NL || k == UTF8PROC_CATEGORY_NO;
}

bool is_punctuation(char32_t c) {
  if (c < 0x80) return between(c, '!', '/') || between(c, ':', '@') || between(c, '[', '`') || between(c, '{', '~');
  if (c == 0x166d) return true;  // a symbol since Unicode 12; the library's table is older
  const auto k = category(c);
  return k >= UTF8PROC_CATEGORY_PC && k <= UTF8PROC_CATEGORY_PO;
}

void append_lower_case(std::string& text, char32_t c) {
  if (c == 0x130)
    text += "i\u0307";
  else
    append_utf8(text, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))));
}

}  // namespace model
