// The first stage of parse(): Unicode to the LaTeX that means the same, and Markdown taken off.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reward::math {

// Signs, superscripts, Greek letters, fractions and digits become LaTeX ("x² ≤ ½" -> "x^{2} \le \frac{1}{2}"), wide and
// mathematical letters become ASCII, odd spaces become blanks or \,; other letters stay. None if the text is not UTF-8 or has
// control characters. One pass; at most 16 bytes are written for a byte read.
std::optional<std::string> to_latex(std::string_view text);

// Cuts white space, **bold**, `code`, quotation marks and the final . , ; : and \\ off both ends.
std::string_view trim_markup(std::string_view text);

// The UTF-8 character at `i`: its code point and its length, length 0 if there is none.
struct Character {
  char32_t code = 0;
  size_t length = 0;
};
Character utf8_at(std::string_view text, size_t i);

}  // namespace reward::math
