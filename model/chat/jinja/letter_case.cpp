// The part of python_text.h that asks the Unicode tables.
#include <fmt/core.h>
#include <utf8proc.h>

#include <algorithm>

#include "model/chat/jinja/python_text.h"

namespace model::jinja {
namespace {

utf8proc_category_t category(uint32_t c) { return utf8proc_category(static_cast<utf8proc_int32_t>(c)); }

bool is_letter(uint32_t c) {
  const auto k = category(c);
  return k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO;
}

bool is_cased(uint32_t c) {
  const auto k = category(c);
  return k == UTF8PROC_CATEGORY_LU || k == UTF8PROC_CATEGORY_LL || k == UTF8PROC_CATEGORY_LT;
}

// Letters whose upper case has several characters.
const char* upper_of_many(uint32_t c) {
  switch (c) {
    case 0xdf: return "SS";
    case 0x149: return "\xca\xbcN";
    case 0x1f0: return "J\xcc\x8c";
    case 0xfb00: return "FF";
    case 0xfb01: return "FI";
    case 0xfb02: return "FL";
    case 0xfb03: return "FFI";
    case 0xfb04: return "FFL";
    case 0xfb05:
    case 0xfb06: return "ST";
    default: return nullptr;
  }
}

void append_upper(std::string& out, uint32_t c) {
  if (const char* many = upper_of_many(c)) out += many;
  else append_code_point(out, static_cast<uint32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c))));
}

void append_title(std::string& out, uint32_t c) {
  if (const char* many = upper_of_many(c)) {
    std::string first = many;  // "Ss", "Fi": only the first stays a capital
    for (size_t i = 1; i < first.size(); ++i)
      if (first[i] >= 'A' && first[i] <= 'Z' && c != 0x149) first[i] = static_cast<char>(first[i] + 32);
    out += first;
  } else {
    append_code_point(out, static_cast<uint32_t>(utf8proc_totitle(static_cast<utf8proc_int32_t>(c))));
  }
}

bool ignored_beside_sigma(uint32_t c) {
  const auto k = category(c);
  return k == UTF8PROC_CATEGORY_MN || k == UTF8PROC_CATEGORY_ME || k == UTF8PROC_CATEGORY_CF || k == UTF8PROC_CATEGORY_LM ||
         k == UTF8PROC_CATEGORY_SK || c == '\'' || c == '.' || c == ':' || c == 0xb7 || c == 0x2019;
}

// A capital sigma at the end of a word has a form of its own.
bool is_final_sigma(const std::vector<std::string_view>& text, size_t i) {
  size_t before = i;
  while (before > 0 && ignored_beside_sigma(code_point(text[before - 1]))) --before;
  if (before == 0 || !is_cased(code_point(text[before - 1]))) return false;
  size_t after = i + 1;
  while (after < text.size() && ignored_beside_sigma(code_point(text[after]))) ++after;
  return after == text.size() || !is_cased(code_point(text[after]));
}

void append_lower(std::string& out, const std::vector<std::string_view>& text, size_t i) {
  const uint32_t c = code_point(text[i]);
  if (c == 0x130) out += "i\xcc\x87";
  else if (c == 0x3a3) append_code_point(out, is_final_sigma(text, i) ? 0x3c2 : 0x3c3);
  else append_code_point(out, static_cast<uint32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))));
}

template <typename Is>
bool all(std::string_view text, Is is) {
  const auto characters = characters_of(text);
  return !text.empty() &&
         std::all_of(characters.begin(), characters.end(), [&](std::string_view c) { return is(code_point(c)); });
}

bool is_printable(uint32_t c) {
  if (c == ' ') return true;
  switch (category(c)) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return false;
    default: return true;
  }
}

}  // namespace

std::string upper(std::string_view text) {
  std::string out;
  for (const auto c : characters_of(text)) append_upper(out, code_point(c));
  return out;
}

std::string lower(std::string_view text) {
  std::string out;
  const auto characters = characters_of(text);
  for (size_t i = 0; i < characters.size(); ++i) append_lower(out, characters, i);
  return out;
}

std::string capitalize(std::string_view text) {
  std::string out;
  const auto characters = characters_of(text);
  for (size_t i = 0; i < characters.size(); ++i)
    if (i == 0) append_title(out, code_point(characters[0]));
    else append_lower(out, characters, i);
  return out;
}

std::string title(std::string_view text) {
  std::string out;
  bool inside = false;
  const auto characters = characters_of(text);
  for (size_t i = 0; i < characters.size(); ++i) {
    if (inside) append_lower(out, characters, i);
    else append_title(out, code_point(characters[i]));
    inside = is_cased(code_point(characters[i]));
  }
  return out;
}

std::string filter_title(std::string_view text) {
  std::string out;
  std::string_view rest = text;
  const auto parts = [](uint32_t c) { return is_space(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<'; };
  while (!rest.empty()) {
    const bool separators = parts(code_point(rest.substr(0, byte_of(rest, 1))));
    size_t end = 0;
    while (end < rest.size()) {
      const size_t size = byte_of(rest.substr(end), 1);
      if (parts(code_point(rest.substr(end, size))) != separators) break;
      end += size;
    }
    const std::string_view word = rest.substr(0, end);
    const size_t first = byte_of(word, 1);
    if (separators) out += word;
    else (out += upper(word.substr(0, first))) += lower(word.substr(first));
    rest.remove_prefix(end);
  }
  return out;
}

bool is_upper(std::string_view text) {
  bool any = false;
  for (const auto c : characters_of(text)) {
    const auto k = category(code_point(c));
    if (k == UTF8PROC_CATEGORY_LL || k == UTF8PROC_CATEGORY_LT) return false;
    any = any || k == UTF8PROC_CATEGORY_LU;
  }
  return any;
}

bool is_lower(std::string_view text) {
  bool any = false;
  for (const auto c : characters_of(text)) {
    const auto k = category(code_point(c));
    if (k == UTF8PROC_CATEGORY_LU || k == UTF8PROC_CATEGORY_LT) return false;
    any = any || k == UTF8PROC_CATEGORY_LL;
  }
  return any;
}

bool all_digits(std::string_view text) {
  return all(text, [](uint32_t c) { return category(c) == UTF8PROC_CATEGORY_ND; });
}
bool all_letters(std::string_view text) { return all(text, is_letter); }
bool all_alphanumeric(std::string_view text) {
  return all(text, [](uint32_t c) { return is_letter(c) || category(c) == UTF8PROC_CATEGORY_ND; });
}

std::string repr(std::string_view text) {
  const bool double_quotes = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
  const char quote = double_quotes ? '"' : '\'';
  std::string out(1, quote);
  for (const auto c : characters_of(text)) {
    const uint32_t code = code_point(c);
    if (code == static_cast<uint32_t>(quote) || code == '\\') (out += '\\') += c;
    else if (code == '\n') out += "\\n";
    else if (code == '\r') out += "\\r";
    else if (code == '\t') out += "\\t";
    else if (is_printable(code)) out += c;
    else if (code < 0x100) out += fmt::format("\\x{:02x}", code);
    else if (code < 0x10000) out += fmt::format("\\u{:04x}", code);
    else out += fmt::format("\\U{:08x}", code);
  }
  return out += quote;
}

}  // namespace model::jinja
