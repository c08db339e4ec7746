// Which script a character is written in. Source: the Unicode Character Database 15.0, letters of the scripts listed here.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace reward {

// The code point at `at`, which moves behind it. A byte that is not UTF-8 is taken alone and gives U+FFFD.
char32_t next_code_point(std::string_view text, size_t& at);

// "latin", "han", "kana" (Hiragana and Katakana), "cyrillic", ...; empty for what is no letter, or of no script listed.
std::string_view script_of(char32_t c);
std::vector<std::string> script_names();

// Han, kana, Thai, Lao, Khmer, Myanmar.
bool writes_no_spaces(std::string_view script);

}  // namespace reward
