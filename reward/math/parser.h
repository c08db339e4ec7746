// Tokens to a tree: a Pratt parser. Used by parse.cpp alone; the passes of lexer.h come first.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "reward/math/token.h"
#include "reward/math/tree.h"

namespace reward::math {

// How tightly the infix signs bind.
enum Binding : int { any_binding = 0, union_binding = 10, intersection_binding = 12, ratio_binding = 14, sum_binding = 20,
                     product_binding = 30, factor_binding = 40 };

class Parser {
 public:
  Parser(Tokens tokens, const Limits& limits) : tokens_(std::move(tokens)), limits_(limits) {}

  // The whole text as one tree. Throws Failure: "syntax", "too_deep" or "too_many_nodes".
  Tree parse();

 private:
  struct Items {
    std::vector<Index> items;
    bool conjunctive = false, disjunctive = false, logical = false;
  };

  // statements.cpp
  Items items();
  Index combine(const Items& found);
  Index statement();
  Index named_side();
  bool take_separator(Items& found);
  void distribute(std::vector<Index>& items);
  Index as_range(Index node);
  bool at_relation() const;

  // expression.cpp
  Index expression(int binding);
  Index prefix();
  Index infix(Index left, int binding, bool& more);
  Index sum(Index first);
  Index product(Index first);
  Index factor();
  Index postfix(Index base, bool& more);
  Index factorial(Index base);
  Index raise(Index base);
  Index exponent();
  Index quantity(Index value, const std::string& unit);
  bool begins_factor() const;

  // atoms.cpp
  Index atom();
  Index number();
  Index based_number();
  Index repeating(const std::string& front);
  bool at_mixed_part(std::string& numerator, std::string& denominator, size_t& end) const;
  Index command();
  Index sign_atom();
  Index fraction();
  Index root();
  Index accented();
  Index angle();
  Index symbol();
  Index call(const std::string& name);
  Index binomial_symbol();
  bool at_derivative() const;
  Index derivative();

  // functions.cpp
  Index function(std::string_view name);
  std::vector<Index> function_arguments();
  Index implicit_argument();
  Index finite(Kind kind);

  // brackets.cpp
  Index group();
  Index round_bracket();
  Index square_bracket();
  Index outward_bracket();
  Index set_bracket();
  Index bar(const char* close);
  Index rounded(const char* name, const char* close);
  Index rows_of_brackets();
  Index environment();
  Index collect(Items found, bool round_open, bool round_close);
  std::vector<Index> bracket_arguments();

  // The next argument of \frac and its like: a group, one digit or letter, or a command with its own arguments.
  Index argument(bool whole_number = false);
  std::string flat_argument();  // the same as text, for names

  const Token& now() const { return tokens_[k_]; }
  const Token& ahead(size_t n) const { return tokens_[std::min(k_ + n, tokens_.size() - 1)]; }
  const Token& before() const { return tokens_[k_ - 1]; }
  bool at(const char* sign) const { return now().is_sign(sign); }
  bool take(const char* sign) {
    if (!at(sign)) return false;
    ++k_;
    return true;
  }
  void expect(const char* sign);
  [[noreturn]] void fail(const std::string& what) const;

  Index add(Kind kind, std::string text = {}, std::vector<Index> children = {}, int64_t number = 0);
  Index add(Kind kind, std::initializer_list<Index> children) { return add(kind, {}, std::vector<Index>(children)); }
  Index add_function(std::string_view name, std::vector<Index> arguments) {
    return add(Kind::function, std::string(name), std::move(arguments));
  }
  Index integer(std::string digits) { return add(Kind::integer, std::move(digits)); }
  Index copy(Index node);
  Node& node(Index index) { return nodes_[static_cast<size_t>(index)]; }
  const Node& node(Index index) const { return nodes_[static_cast<size_t>(index)]; }

  // One level deeper in the recursion, for as long as it lives.
  struct Level {
    explicit Level(Parser& parser);
    ~Level() { --parser.level_; }
    Parser& parser;
  };

  Tokens tokens_;
  const Limits& limits_;
  size_t k_ = 0;
  int64_t level_ = 0;
  int64_t bars_ = 0;                  // | that are open at this depth of brackets
  std::vector<std::string> bound_;    // indices of the sums around
  std::vector<Node> nodes_;
  std::vector<int64_t> depths_;
};

}  // namespace reward::math
