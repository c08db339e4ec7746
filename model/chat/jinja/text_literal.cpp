#include "model/chat/jinja/text_literal.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "model/chat/jinja/python_text.h"
#include "model/chat/jinja/value.h"

namespace model::jinja {
namespace {

// Appends the code point that `digits` digits of a base name, and returns how many there were.
size_t append_number(std::string& out, std::string_view text, size_t digits, int base, bool exact) {
  uint32_t code = 0;
  const std::string_view part = text.substr(0, digits);
  const auto read = std::from_chars(part.data(), part.data() + part.size(), code, base);
  const size_t used = static_cast<size_t>(read.ptr - part.data());
  if (exact && used != digits) throw Problem(fmt::format("an escape in a text needs {} hexadecimal digits", digits));
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
    throw Problem(fmt::format("the escape U+{:04X} is no character", code));
  append_code_point(out, code);
  return used;
}

}  // namespace

std::string text_literal(std::string_view quoted) {
  std::string out;
  for (size_t i = 0; i < quoted.size(); ++i) {
    if (quoted[i] != '\\') {
      out += quoted[i];
      continue;
    }
    if (++i == quoted.size()) throw Problem("a text ends in a backslash");
    const char c = quoted[i];
    constexpr std::string_view names = "\\'\"abfnrtv", meanings = "\\'\"\a\b\f\n\r\t\v";
    if (c == '\n') continue;
    if (const size_t k = names.find(c); k != std::string_view::npos) out += meanings[k];
    else if (c >= '0' && c <= '7') i += append_number(out, quoted.substr(i), 3, 8, false) - 1;
    else if (c == 'x') i += append_number(out, quoted.substr(i + 1), 2, 16, true);
    else if (c == 'u') i += append_number(out, quoted.substr(i + 1), 4, 16, true);
    else if (c == 'U') i += append_number(out, quoted.substr(i + 1), 8, 16, true);
    else if (c == 'N' || static_cast<unsigned char>(c) >= 0x80)
      throw Problem("this escape is outside the supported part of Jinja");
    else (out += '\\') += c;
  }
  return out;
}

}  // namespace model::jinja
