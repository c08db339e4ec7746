// Expressions of the template language; parser.h does the tags.
#pragma once

#include <set>

#include "model/chat/jinja/ast.h"
#include "model/chat/jinja/token_stream.h"

namespace model::jinja {

class ExpressionParser {
 public:
  ExpressionParser(TokenStream& tokens, Symbols& symbols) : tokens_(tokens), symbols_(symbols) {}

  ExpressionPtr expression(bool with_condition = true);
  // One expression, or a tuple of several with commas between them.
  ExpressionPtr tuple(bool with_condition = true, bool in_parentheses = false);
  // `left`, and the filters that follow it; left may be null in a filter block. At the name of the first filter if `at_name`.
  ExpressionPtr filters(ExpressionPtr left, bool at_name = false);

  // Names read since the parser began; macros look for caller, kwargs and varargs.
  const std::set<std::string>& names_read() const { return names_read_; }
  void forget_names() { names_read_.clear(); }
  void note_read(const std::string& name) { names_read_.insert(name); }

 private:
  ExpressionPtr make(Expression::Op op, int line, std::vector<ExpressionPtr> parts, std::string word = "");
  ExpressionPtr constant(Value value, int line);
  ExpressionPtr either();
  ExpressionPtr both();
  ExpressionPtr inverse();
  ExpressionPtr comparison();
  ExpressionPtr sum();
  ExpressionPtr concatenation();
  ExpressionPtr product();
  ExpressionPtr power();
  ExpressionPtr unary(bool with_filters = true);
  ExpressionPtr primary();
  ExpressionPtr postfix(ExpressionPtr node);
  ExpressionPtr postfix_filters(ExpressionPtr node);
  ExpressionPtr subscript(ExpressionPtr node);
  ExpressionPtr call(ExpressionPtr node);
  ExpressionPtr test(ExpressionPtr node);
  ExpressionPtr list();
  ExpressionPtr dict();
  CallArguments call_arguments();
  std::string dotted_name();  // of a filter or test
  void deepen(Expression& node, const Expression* inner) const;

  TokenStream& tokens_;
  Symbols& symbols_;
  std::set<std::string> names_read_;
  int depth_ = 0;
};

}  // namespace model::jinja
