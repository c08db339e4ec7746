// GPT-2's byte alphabet: each of the 256 bytes has one printable character, and vocabularies are spelled in those.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/tokenizer/utf8.h"

namespace model {

// The UTF-8 text of the character that stands for `byte`.
const std::string& byte_level_character(unsigned char byte);
std::string to_byte_level(std::string_view bytes);
// The bytes that `text` spells, or nothing when a character is not of the alphabet (or the text is not UTF-8).
std::optional<std::string> from_byte_level(std::string_view text);

}  // namespace model
