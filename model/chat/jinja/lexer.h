// Template text -> tokens, with Jinja's white space rules as transformers sets them: trim_blocks (a newline after a block tag
// goes), lstrip_blocks (spaces before a block tag that begins its line go), one newline at the end of the template goes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/chat/jinja/value.h"

namespace model::jinja {

struct Token {
  enum class Kind { data, block_begin, block_end, variable_begin, variable_end, name, text, number, op, end };
  Kind kind = Kind::end;
  int line = 1;
  std::string word;  // data, name, text: the text; op: the operator
  Value number;

  bool is_op(std::string_view op) const { return kind == Kind::op && word == op; }
  bool is_name(std::string_view name) const { return kind == Kind::name && word == name; }
};

// A Problem with the line of the template where it is.
struct SyntaxProblem : Problem {
  SyntaxProblem(int at, const std::string& what) : Problem(what), line(at) {}
  int line;
};

// The last token is `end`. Throws SyntaxProblem.
std::vector<Token> tokens_of(std::string_view source);

}  // namespace model::jinja
