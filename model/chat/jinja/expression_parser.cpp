#include "model/chat/jinja/expression_parser.h"

#include <algorithm>

namespace model::jinja {
namespace {

using Op = Expression::Op;
constexpr int deepest_expression = 200;

std::vector<ExpressionPtr> pair_of(ExpressionPtr a, ExpressionPtr b) {
  std::vector<ExpressionPtr> parts;
  parts.push_back(std::move(a));
  parts.push_back(std::move(b));
  return parts;
}

std::vector<ExpressionPtr> one(ExpressionPtr a) {
  std::vector<ExpressionPtr> parts;
  parts.push_back(std::move(a));
  return parts;
}

struct Deeper {  // guards the parser's own recursion
  Deeper(int& depth, const TokenStream& tokens) : depth_(depth) {
    if (++depth_ > deepest_expression) tokens.fail(fmt::format("expressions nest deeper than {} levels", deepest_expression));
  }
  ~Deeper() { --depth_; }
  int& depth_;
};

}  // namespace

void ExpressionParser::deepen(Expression& node, const Expression* inner) const {
  if (inner == nullptr) return;
  node.depth = std::max(node.depth, inner->depth + 1);
  if (node.depth > deepest_expression) tokens_.fail(fmt::format("expressions nest deeper than {} levels", deepest_expression));
}

ExpressionPtr ExpressionParser::make(Op op, int line, std::vector<ExpressionPtr> parts, std::string word) {
  auto node = std::make_unique<Expression>();
  node->op = op;
  node->line = line;
  node->word = std::move(word);
  node->parts = std::move(parts);
  for (const auto& part : node->parts) deepen(*node, part.get());
  return node;
}

ExpressionPtr ExpressionParser::constant(Value value, int line) {
  auto node = make(Op::constant, line, {});
  node->value = std::move(value);
  return node;
}

ExpressionPtr ExpressionParser::expression(bool with_condition) {
  const Deeper deeper(depth_, tokens_);
  ExpressionPtr node = either();
  while (with_condition && tokens_.peek().is_name("if")) {
    const int line = tokens_.take().line;
    std::vector<ExpressionPtr> parts = pair_of(either(), std::move(node));
    parts.push_back(tokens_.take_name("else") ? expression() : nullptr);
    node = make(Op::condition, line, std::move(parts));
  }
  return node;
}

ExpressionPtr ExpressionParser::tuple(bool with_condition, bool in_parentheses) {
  const int line = tokens_.line();
  std::vector<ExpressionPtr> parts;
  bool is_tuple = false;
  const auto at_end = [&] {
    const Token& t = tokens_.peek();
    return t.kind == Token::Kind::variable_end || t.kind == Token::Kind::block_end || t.is_op(")") || t.is_name("recursive");
  };
  while (!at_end()) {
    parts.push_back(expression(with_condition));
    if (!tokens_.take_op(",")) break;
    is_tuple = true;
  }
  if (!is_tuple && !parts.empty()) return std::move(parts[0]);
  if (!is_tuple && !in_parentheses) tokens_.fail(fmt::format("expected an expression but found {}", tokens_.described()));
  return make(Op::tuple, line, std::move(parts));
}

ExpressionPtr ExpressionParser::either() {
  ExpressionPtr left = both();
  if (!tokens_.peek().is_name("or")) return left;
  const int line = tokens_.line();
  auto parts = one(std::move(left));
  while (tokens_.take_name("or")) parts.push_back(both());
  return make(Op::logical_or, line, std::move(parts));
}

ExpressionPtr ExpressionParser::both() {
  ExpressionPtr left = inverse();
  if (!tokens_.peek().is_name("and")) return left;
  const int line = tokens_.line();
  auto parts = one(std::move(left));
  while (tokens_.take_name("and")) parts.push_back(inverse());
  return make(Op::logical_and, line, std::move(parts));
}

ExpressionPtr ExpressionParser::inverse() {
  const int line = tokens_.line();
  if (!tokens_.take_name("not")) return comparison();
  const Deeper deeper(depth_, tokens_);
  return make(Op::logical_not, line, one(inverse()));
}

ExpressionPtr ExpressionParser::comparison() {
  const int line = tokens_.line();
  auto parts = one(sum());
  std::vector<std::string> operators;
  for (;;) {
    const Token& t = tokens_.peek();
    if (t.kind == Token::Kind::op &&
        (t.word == "==" || t.word == "!=" || t.word == "<" || t.word == "<=" || t.word == ">" || t.word == ">="))
      operators.push_back(tokens_.take().word);
    else if (t.is_name("in"))
      operators.push_back(tokens_.take().word);
    else if (t.is_name("not") && tokens_.peek(1).is_name("in"))
      tokens_.take(), tokens_.take(), operators.push_back("not in");
    else
      break;
    parts.push_back(sum());
  }
  if (operators.empty()) return std::move(parts[0]);
  auto node = make(Op::compare, line, std::move(parts));
  node->operators = std::move(operators);
  return node;
}

ExpressionPtr ExpressionParser::sum() {
  ExpressionPtr left = concatenation();
  while (tokens_.peek().is_op("+") || tokens_.peek().is_op("-")) {
    const Token& t = tokens_.take();
    left = make(Op::arithmetic, t.line, pair_of(std::move(left), concatenation()), t.word);
  }
  return left;
}

ExpressionPtr ExpressionParser::concatenation() {
  ExpressionPtr left = product();
  if (!tokens_.peek().is_op("~")) return left;
  const int line = tokens_.line();
  auto parts = one(std::move(left));
  while (tokens_.take_op("~")) parts.push_back(product());
  return make(Op::concat, line, std::move(parts));
}

ExpressionPtr ExpressionParser::product() {
  ExpressionPtr left = power();
  while (tokens_.peek().is_op("*") || tokens_.peek().is_op("/") || tokens_.peek().is_op("//") || tokens_.peek().is_op("%")) {
    const Token& t = tokens_.take();
    left = make(Op::arithmetic, t.line, pair_of(std::move(left), power()), t.word);
  }
  return left;
}

ExpressionPtr ExpressionParser::power() {
  ExpressionPtr left = unary();
  while (tokens_.peek().is_op("**")) {  // from left to right, unlike Python's
    const int line = tokens_.take().line;
    left = make(Op::arithmetic, line, pair_of(std::move(left), unary()), "**");
  }
  return left;
}

ExpressionPtr ExpressionParser::unary(bool with_filters) {
  const Deeper deeper(depth_, tokens_);
  const int line = tokens_.line();
  ExpressionPtr node;
  if (tokens_.take_op("-")) node = make(Op::negate, line, one(unary(false)));
  else if (tokens_.take_op("+")) node = make(Op::plus, line, one(unary(false)));
  else node = primary();
  node = postfix(std::move(node));
  return with_filters ? postfix_filters(std::move(node)) : std::move(node);
}

ExpressionPtr ExpressionParser::primary() {
  const Token& t = tokens_.peek();
  switch (t.kind) {
    case Token::Kind::name: {
      tokens_.take();
      if (t.word == "true" || t.word == "True") return constant(Value::boolean(true), t.line);
      if (t.word == "false" || t.word == "False") return constant(Value::boolean(false), t.line);
      if (t.word == "none" || t.word == "None") return constant(Value::none(), t.line);
      auto node = make(Op::name, t.line, {}, t.word);
      node->symbol = symbols_.of(t.word);
      names_read_.insert(t.word);
      return node;
    }
    case Token::Kind::text: {
      std::string text;
      while (tokens_.peek().kind == Token::Kind::text) text += tokens_.take().word;
      return constant(Value::text(std::move(text)), t.line);
    }
    case Token::Kind::number: return constant(tokens_.take().number, t.line);
    case Token::Kind::op:
      if (tokens_.take_op("(")) {
        ExpressionPtr node = tuple(true, true);
        tokens_.expect_op(")");
        return node;
      }
      if (t.word == "[") return list();
      if (t.word == "{") return dict();
      break;
    default: break;
  }
  tokens_.fail(fmt::format("expected an expression but found {}", tokens_.described()));
}

ExpressionPtr ExpressionParser::list() {
  const int line = tokens_.take().line;
  std::vector<ExpressionPtr> parts;
  while (!tokens_.peek().is_op("]")) {
    parts.push_back(expression());
    if (!tokens_.take_op(",")) break;
  }
  tokens_.expect_op("]");
  return make(Op::list, line, std::move(parts));
}

ExpressionPtr ExpressionParser::dict() {
  const int line = tokens_.take().line;
  std::vector<ExpressionPtr> parts;
  while (!tokens_.peek().is_op("}")) {
    parts.push_back(expression());
    tokens_.expect_op(":");
    parts.push_back(expression());
    if (!tokens_.take_op(",")) break;
  }
  tokens_.expect_op("}");
  return make(Op::dict, line, std::move(parts));
}

ExpressionPtr ExpressionParser::postfix(ExpressionPtr node) {
  for (;;) {
    if (tokens_.peek().is_op(".") || tokens_.peek().is_op("[")) node = subscript(std::move(node));
    else if (tokens_.peek().is_op("(")) node = call(std::move(node));
    else return node;
  }
}

ExpressionPtr ExpressionParser::postfix_filters(ExpressionPtr node) {
  for (;;) {
    if (tokens_.peek().is_op("|")) node = filters(std::move(node));
    else if (tokens_.peek().is_name("is")) node = test(std::move(node));
    else if (tokens_.peek().is_op("(")) node = call(std::move(node));
    else return node;
  }
}

ExpressionPtr ExpressionParser::subscript(ExpressionPtr node) {
  const int line = tokens_.line();
  if (tokens_.take_op(".")) {
    if (tokens_.peek().kind == Token::Kind::number && tokens_.peek().number.is_whole())
      return make(Op::item, line, pair_of(std::move(node), constant(tokens_.take().number, line)));
    return make(Op::attribute, line, one(std::move(node)), tokens_.expect_name());
  }
  tokens_.expect_op("[");
  ExpressionPtr first;
  if (!tokens_.peek().is_op(":")) first = expression();
  if (first != nullptr && tokens_.take_op("]")) return make(Op::item, line, pair_of(std::move(node), std::move(first)));
  if (tokens_.peek().is_op(",")) tokens_.fail("an index of several parts is outside the supported part of Jinja");
  auto parts = pair_of(std::move(node), std::move(first));
  tokens_.expect_op(":");
  parts.push_back(tokens_.peek().is_op(":") || tokens_.peek().is_op("]") ? nullptr : expression());
  parts.push_back(tokens_.take_op(":") && !tokens_.peek().is_op("]") ? expression() : nullptr);
  tokens_.expect_op("]");
  return make(Op::slice, line, std::move(parts));
}

CallArguments ExpressionParser::call_arguments() {
  CallArguments arguments;
  tokens_.expect_op("(");
  while (!tokens_.peek().is_op(")")) {
    if (arguments.double_star != nullptr) tokens_.fail("nothing may follow ** in a call");
    if (tokens_.take_op("**")) {
      arguments.double_star = expression();
    } else if (tokens_.peek().is_op("*")) {
      if (arguments.star != nullptr) tokens_.fail("a call has two *");
      tokens_.take();
      arguments.star = expression();
    } else if (tokens_.peek().kind == Token::Kind::name && tokens_.peek(1).is_op("=")) {
      std::string name = tokens_.take().word;
      tokens_.take();
      arguments.named.emplace_back(std::move(name), expression());
    } else {
      if (arguments.star != nullptr || !arguments.named.empty()) tokens_.fail("a positional argument follows a named one");
      arguments.positional.push_back(expression());
    }
    if (!tokens_.take_op(",")) break;
  }
  tokens_.expect_op(")");
  return arguments;
}

namespace {

template <typename See>
void for_each_argument(const CallArguments& arguments, See see) {
  for (const auto& a : arguments.positional) see(a.get());
  for (const auto& [name, a] : arguments.named) see(a.get());
  see(arguments.star.get());
  see(arguments.double_star.get());
}

}  // namespace

ExpressionPtr ExpressionParser::call(ExpressionPtr node) {
  const int line = tokens_.line();
  auto made = make(Op::call, line, one(std::move(node)));
  made->arguments = call_arguments();
  for_each_argument(made->arguments, [&](const Expression* inner) { deepen(*made, inner); });
  return made;
}

std::string ExpressionParser::dotted_name() {
  std::string name = tokens_.expect_name();
  while (tokens_.take_op(".")) name += "." + tokens_.expect_name();
  return name;
}

ExpressionPtr ExpressionParser::filters(ExpressionPtr node, bool at_name) {
  while (at_name || tokens_.take_op("|")) {
    at_name = false;
    const int line = tokens_.line();
    auto made = make(Op::filter, line, one(std::move(node)), dotted_name());
    if (tokens_.peek().is_op("(")) made->arguments = call_arguments();
    for_each_argument(made->arguments, [&](const Expression* inner) { deepen(*made, inner); });
    node = std::move(made);
  }
  return node;
}

ExpressionPtr ExpressionParser::test(ExpressionPtr node) {
  const int line = tokens_.take().line;
  const bool negated = tokens_.take_name("not");
  auto made = make(Op::test, line, one(std::move(node)), dotted_name());
  const Token& t = tokens_.peek();
  const bool value_follows = t.kind == Token::Kind::name || t.kind == Token::Kind::text || t.kind == Token::Kind::number ||
                             t.is_op("[") || t.is_op("{");
  if (t.is_op("(")) {
    made->arguments = call_arguments();
  } else if (value_follows && !t.is_name("else") && !t.is_name("or") && !t.is_name("and")) {
    if (t.is_name("is")) tokens_.fail("tests with \"is\" cannot follow one another; join them by \"and\"");
    made->arguments.positional.push_back(postfix(primary()));
  }
  for_each_argument(made->arguments, [&](const Expression* inner) { deepen(*made, inner); });
  return negated ? make(Op::logical_not, line, one(std::move(made))) : std::move(made);
}

}  // namespace model::jinja
