// LaTeX or plain text of one answer to a tree: token-level normaliser, lexer and Pratt parser.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "reward/math/tree.h"

namespace reward::math {

struct ParseError {
  std::string reason;  // a fixed word: "empty", "too_long", "too_many_tokens", "too_many_nodes", "too_deep",
                       // "not_utf8", "syntax"
  std::string detail;  // for people: what and at which byte
};

// Words that are no formula become a text node; only broken or hostile input is an error. `gold`: the gold's own reading
// when an answer is parsed beside it, null for the gold itself (a bare letter is no unit if the gold uses it as a
// variable; 3,333 is one number unless the gold is a list of as many).
std::variant<Tree, ParseError> parse(std::string_view answer, const Limits& limits, const Tree* gold = nullptr);

}  // namespace reward::math
