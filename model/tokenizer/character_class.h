// Classes of characters as the parts of a tokenizer.json mean them (those of Rust's char and of its regex crate).
#pragma once

#include <string>
#include <string_view>

namespace model {

bool is_space(char32_t c);        // White_Space
bool is_word(char32_t c);         // \w: letters, marks, decimal digits, letter numbers, connectors, joiners
bool is_numeric(char32_t c);      // N*
bool is_punctuation(char32_t c);  // P* and ASCII's punctuation, which holds symbols such as $ and +

// One character in lower case, without its context; only U+0130 becomes two.
void append_lower_case(std::string& text, char32_t c);

}  // namespace model
