// What a text in quotes stands for: Python's escapes.
#pragma once

#include <string>
#include <string_view>

namespace model::jinja {

// `quoted`: between the quotes. An unknown escape keeps its backslash. Throws Problem for \N{...}, surrogates and escapes that
// are cut off.
std::string text_literal(std::string_view quoted);

}  // namespace model::jinja
