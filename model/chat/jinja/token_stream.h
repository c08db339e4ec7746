// Tokens with a position, for the parsers; and the symbols that they number.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/chat/jinja/lexer.h"

namespace model::jinja {

class TokenStream {
 public:
  explicit TokenStream(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  const Token& peek(size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  const Token& take() {
    const Token& token = peek();
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }
  bool take_op(std::string_view op) { return peek().is_op(op) && (take(), true); }
  bool take_name(std::string_view name) { return peek().is_name(name) && (take(), true); }
  void expect_op(std::string_view op) {
    if (!take_op(op)) fail(fmt::format("expected {} but found {}", op, described()));
  }
  void expect(Token::Kind kind, const char* what) {
    if (take().kind != kind) fail(fmt::format("expected {}", what));
  }
  std::string expect_name() {
    if (peek().kind != Token::Kind::name) fail(fmt::format("expected a name but found {}", described()));
    return take().word;
  }
  int line() const { return peek().line; }

  std::string described() const {
    const Token& t = peek();
    switch (t.kind) {
      case Token::Kind::name:
      case Token::Kind::op:
      case Token::Kind::number: return t.word;
      case Token::Kind::text: return "a text";
      case Token::Kind::end: return "the end of the template";
      default: return "the end of the tag";
    }
  }
  [[noreturn]] void fail(const std::string& what) const { throw SyntaxProblem(line(), what); }

 private:
  std::vector<Token> tokens_;
  size_t at_ = 0;
};

class Symbols {
 public:
  int of(const std::string& name) {
    const auto [found, is_new] = numbers_.emplace(name, static_cast<int>(names_.size()));
    if (is_new) names_.push_back(name);
    return found->second;
  }
  std::vector<std::string> names() && { return std::move(names_); }

 private:
  std::map<std::string, int> numbers_;
  std::vector<std::string> names_;
};

}  // namespace model::jinja
