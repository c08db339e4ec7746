// UTF-8, byte by byte.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace model {

// Length in bytes of the UTF-8 character at `at`, or 0 when there is none (bad or cut-off bytes, surrogates, too long).
size_t utf8_length(std::string_view text, size_t at);
char32_t utf8_code_point(std::string_view text, size_t at);  // of a valid character
void append_utf8(std::string& text, char32_t c);
// Start of the character that ends before `at` (> 0) in valid text.
size_t character_before(std::string_view text, size_t at);
// Offset of the first byte that is not UTF-8, or npos.
size_t find_invalid_utf8(std::string_view text);
bool is_ascii(std::string_view text);

// Bytes in, text out: each part that cannot become a character gives one U+FFFD. A part is the longest start of a
// character, or one byte ("maximal subpart" of the Unicode standard, section 3.9), as Rust and Python do.
class Utf8Repair {
 public:
  // Appends to `text` all that is certain: an unfinished character at the end waits for the next bytes.
  void push(std::string_view bytes, std::string& text);
  void finish(std::string& text);

 private:
  std::string waiting_;  // the start of a character, at most 3 bytes
};

}  // namespace model
