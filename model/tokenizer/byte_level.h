// GPT-2's byte alphabet: each of the 256 bytes has one printable character, and vocabularies are spelled in those.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace model {

// The UTF-8 text of the character that stands for `byte`.
const std::string& byte_level_character(unsigned char byte);
std::string to_byte_level(std::string_view bytes);
// The bytes that `text` spells, or nothing when a character is not of the alphabet (or the text is not UTF-8).
std::optional<std::string> from_byte_level(std::string_view text);

// Length in bytes of the UTF-8 character at `at`, or 0 when there is none (bad or cut-off bytes, surrogates, too long).
size_t utf8_length(std::string_view text, size_t at);
char32_t utf8_code_point(std::string_view text, size_t at);  // of a valid character
// Offset of the first byte that is not UTF-8, or npos.
size_t find_invalid_utf8(std::string_view text);

}  // namespace model
