// Lists, relations, "and" and "or"; and the nodes themselves.
#include <fmt/core.h>

#include "reward/math/names.h"
#include "reward/math/parser.h"

namespace reward::math {
namespace {

bool is_statement(const Node& node) {
  return node.kind == Kind::relation || node.kind == Kind::conjunction || node.kind == Kind::disjunction;
}

bool is_relation_sign(const std::string& text) {
  return text == "=" || text == "!=" || text == "<" || text == "<=" || text == ">" || text == ">=" || text == "in" ||
         text == "notin" || text == "approx";
}

}  // namespace

Parser::Level::Level(Parser& p) : parser(p) {
  if (++parser.level_ > parser.limits_.depth) {
    --parser.level_;
    throw Failure{"too_deep", fmt::format("nested deeper than {}", parser.limits_.depth)};
  }
}

void Parser::fail(const std::string& what) const { throw Failure{"syntax", fmt::format("{} at byte {}", what, now().at)}; }

void Parser::expect(const char* sign) {
  if (!take(sign)) fail(fmt::format("{} is missing", sign));
}

Index Parser::add(Kind kind, std::string text, std::vector<Index> children, int64_t number) {
  if (static_cast<int64_t>(nodes_.size()) >= limits_.nodes)
    throw Failure{"too_many_nodes", fmt::format("more than {} nodes", limits_.nodes)};
  int64_t depth = 0;
  for (const Index child : children) depth = std::max(depth, depths_[static_cast<size_t>(child)]);
  if (++depth > limits_.depth) throw Failure{"too_deep", fmt::format("nested deeper than {}", limits_.depth)};
  nodes_.push_back({kind, std::move(text), number, std::move(children)});
  depths_.push_back(depth);
  return static_cast<Index>(nodes_.size() - 1);
}

Index Parser::copy(Index from) {
  std::vector<Index> children;
  for (const Index child : std::vector<Index>(node(from).children)) children.push_back(copy(child));
  const Node original = node(from);
  return add(original.kind, original.text, std::move(children), original.number);
}

Tree Parser::parse() {
  while (at("=") || at("approx") || at("quad")) ++k_;
  const Index root = combine(items());
  while (at("quad") || at("row")) ++k_;
  if (now().type != Token::end) fail(fmt::format("cannot read '{}'", now().text));
  Tree tree;
  tree.nodes = std::move(nodes_);
  tree.root = root;
  return tree;
}

// ", and", ";" and \quad part as one separator.
bool Parser::take_separator(Items& found) {
  const size_t begin = k_;
  while (take(",") || take(";") || take("quad")) {}
  found.logical = found.logical || now().is_command("land") || now().is_command("lor");
  if (now().is(Token::word, "and") || now().is_command("land")) ++k_, found.conjunctive = true;
  else if (now().is(Token::word, "or") || now().is_command("lor")) ++k_, found.disjunctive = true;
  take("quad");
  return k_ > begin;
}

Parser::Items Parser::items() {
  Items found;
  found.items.push_back(statement());
  while (true) {
    const size_t begin = k_;
    if (!take_separator(found)) break;
    if (now().type == Token::end && begin + 1 == k_) break;  // a separator at the end
    found.items.push_back(statement());
  }
  return found;
}

// "x = 2, 3" is x = 2, x = 3.
void Parser::distribute(std::vector<Index>& items) {
  const Node first = node(items[0]);
  if (first.kind != Kind::relation || first.text != "=") return;
  const Kind left = node(first.children[0]).kind;
  if (left != Kind::symbol && left != Kind::tuple) return;
  for (size_t k = 1; k < items.size(); ++k)
    if (is_statement(node(items[k]))) return;
  for (size_t k = 1; k < items.size(); ++k)
    items[k] = add(Kind::relation, "=", {copy(first.children[0]), items[k]});
}

Index Parser::combine(const Items& found) {
  if (found.items.size() == 1) return found.items[0];
  auto items = found.items;
  distribute(items);
  const bool statements = std::all_of(items.begin(), items.end(), [&](Index k) { return is_statement(node(k)); });
  if (found.logical && !statements) fail("a logical sign between what is no statement");
  const bool mixed = found.conjunctive && found.disjunctive;
  const Kind kind = !statements || mixed  ? Kind::list
                    : found.disjunctive   ? Kind::disjunction
                    : found.conjunctive   ? Kind::conjunction
                                          : Kind::list;
  return add(kind, {}, std::move(items));
}

bool Parser::at_relation() const { return now().type == Token::sign && is_relation_sign(now().text); }

// Behind "in" and beside \\cup, (a, b) is an open interval.
Index Parser::as_range(Index index) {
  Node& pair = node(index);
  if (pair.kind == Kind::tuple && pair.children.size() == 2) pair.kind = Kind::interval;
  return index;
}

// "Area = 5", "N(n) = 2n": a side that only names what is meant. -1 if there is none.
Index Parser::named_side() {
  size_t end = k_;
  std::string name;
  bool words = false;
  while (end < tokens_.size() && end < k_ + 8 && (tokens_[end].type == Token::word || tokens_[end].type == Token::letter)) {
    words = words || tokens_[end].type == Token::word;
    name += (name.empty() ? "" : " ") + lower(tokens_[end].text);
    ++end;
  }
  if (words && tokens_[end].is_sign("=")) {
    k_ = end;
    return add(Kind::symbol, name);
  }
  const bool call = now().type == Token::letter && ahead(1).is_sign("(") && ahead(3).is_sign(")") && ahead(4).is_sign("=");
  if (!call || (ahead(2).type != Token::letter && ahead(2).type != Token::number)) return -1;
  name = now().text;
  ++k_;
  return add(Kind::call, name, bracket_arguments());
}

Index Parser::statement() {
  Index first = named_side();
  if (first < 0) first = expression(any_binding);
  std::vector<Index> sides = {first};
  std::string signs;
  while (at_relation()) {
    const std::string sign = now().text;
    ++k_;
    const Index side = expression(any_binding);
    sides.push_back(sign == "in" || sign == "notin" ? as_range(side) : side);
    signs += (signs.empty() ? "" : " ") + sign;
  }
  return sides.size() == 1 ? first : add(Kind::relation, signs, std::move(sides));
}

}  // namespace reward::math
