// Tokens -> program, by Jinja's grammar.
#pragma once

#include <string_view>

#include "model/chat/jinja/ast.h"

namespace model::jinja {

// Throws SyntaxProblem for what is no Jinja, and for tags outside the supported part: include, import, extends, block,
// autoescape, print, do and recursive loops.
Program parse(std::string_view source);

}  // namespace model::jinja
