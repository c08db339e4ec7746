// LaTeX text to tokens: layout commands vanish, spellings of one sign become one, letters in \text are marked.
#pragma once

#include <string_view>

#include "reward/math/token.h"
#include "reward/math/tree.h"

namespace reward::math {

// `latex` is what to_latex() gives. Ends in a token of type end. One pass. Throws Failure: "too_many_tokens", or "syntax"
// for braces that are not paired.
Tokens lex(std::string_view latex, const Limits& limits, const Hint& hint);

// Digits joined over separators (1,234 and 1\,234), numerals with a base (204_5, 1A_{16}).
void join_numerals(Tokens& tokens, const Hint& hint);

// Words after a value that name a unit become one token: "5 cm^2", "12\text{ square feet}", "3\text{ ways}".
void join_units(Tokens& tokens, const Hint& hint);

// Other runs of letters: names of functions and constants become commands, products letters; the rest stay words.
void split_words(Tokens& tokens, const Hint& hint);

}  // namespace reward::math
