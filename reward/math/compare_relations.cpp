// Equations and inequalities with each other, and a statement with a value.
#include <algorithm>

#include "reward/math/ball.h"
#include "reward/math/comparer.h"
#include "reward/math/normal_form.h"
#include "reward/math/tree_tools.h"

namespace reward::math {
namespace {

Comparison verdict(bool equal, const char* reason) { return {equal ? Equality::equal : Equality::different, reason}; }

bool is_equation(const Node& node) { return node.kind == Kind::relation && node.text == "="; }

bool has_inequality(const Tree& tree, Index at) {
  const auto& node = tree[at];
  if (node.kind == Kind::relation) return node.text != "=";
  return std::any_of(node.children.begin(), node.children.end(), [&](Index child) { return has_inequality(tree, child); });
}

bool is_symbol(const Node& node) { return node.kind == Kind::symbol || node.kind == Kind::choice; }

// What an answer may be called before its "=": x, f(x), AB, P(A), sin t, (x, y). Not |x|, which makes an equation for x.
bool is_name(const Tree& tree, Index at) {
  const auto& node = tree[at];
  if (is_symbol(node) || node.kind == Kind::call) return true;
  if (node.kind == Kind::product || node.kind == Kind::tuple)
    return std::all_of(node.children.begin(), node.children.end(), [&](Index child) { return is_symbol(tree[child]); });
  return node.kind == Kind::function && node.text != "abs" && !free_symbols(tree, at).empty();
}

// One expression, so that two sides can be subtracted.
bool is_scalar(Kind kind) {
  switch (kind) {
    case Kind::infinity: case Kind::empty_set: case Kind::number_set: case Kind::text: case Kind::plus_minus: case Kind::tuple:
    case Kind::list: case Kind::set: case Kind::matrix: case Kind::ratio: case Kind::quantity: case Kind::percent:
    case Kind::degrees: return false;
    default: return !is_statement(kind) && !is_region(kind);
  }
}

// A chain a < b < c as its single relations; other statements as themselves.
void add_links(Tree& tree, Index at, std::vector<Index>& links) {
  const Node node = tree[at];
  const auto signs = node.kind == Kind::relation ? signs_of(node) : std::vector<std::string>();
  if (signs.size() < 2) return links.push_back(at);
  for (size_t i = 0; i < signs.size(); ++i)
    links.push_back(add(tree, Kind::relation, {node.children[i], node.children[i + 1]}, signs[i]));
}

std::vector<Index> links_of(Tree& tree, Index at) {
  std::vector<Index> links;
  const Node node = tree[at];
  if (node.kind == Kind::relation) add_links(tree, at, links);
  else for (const auto child : node.children) add_links(tree, child, links);
  return links;
}

}  // namespace

// a = b = c says a = c in the end. Nothing if two numbers in it differ: x = 5 = 6.
std::optional<Index> Comparer::shortened(Index chain) {
  const Node node = tree[chain];
  if (node.kind != Kind::relation || node.children.size() == 2) return chain;
  const auto signs = signs_of(node);
  if (!std::all_of(signs.begin(), signs.end(), [](const auto& sign) { return sign == "="; })) return chain;
  const auto is_constant = [&](Index part) { return is_scalar(kind(part)) && free_symbols(tree, part).empty(); };
  for (size_t i = 0; i + 1 < node.children.size(); ++i) {
    const auto left = node.children[i], right = node.children[i + 1];
    if (is_constant(left) && is_constant(right) && values(left, right).equality == Equality::different) return std::nullopt;
  }
  return add(tree, Kind::relation, {node.children.front(), node.children.back()}, "=");
}

Comparison Comparer::statements(Index a, Index b) {
  const auto short_a = shortened(a), short_b = shortened(b);
  if (!short_a || !short_b) return verdict(false, "relation");
  a = *short_a, b = *short_b;
  const bool of_a = is_statement(kind(a)), of_b = is_statement(kind(b));
  if (of_a && of_b) return two_statements(a, b);
  return of_a ? statement_and_value(a, b, false) : statement_and_value(b, a, true);
}

Comparison Comparer::two_statements(Index a, Index b) {
  if (items_of(a) || items_of(b)) return collections(a, b);
  const Node x = tree[a], y = tree[b];
  if (is_equation(x) && is_equation(y)) return equations(a, b);
  if (has_inequality(tree, a) && has_inequality(tree, b)) {
    auto names = free_symbols(tree, a);
    if (names.size() == 1 && names == free_symbols(tree, b)) {
      const auto result = regions(a, b);
      if (result.equality == Equality::equal || result.reason == "interval") return result;
    }
  }
  if (x.kind == Kind::relation && y.kind == Kind::relation && x.children.size() == 2 && y.children.size() == 2)
    return inequalities(a, b);
  if ((x.kind == Kind::disjunction) != (y.kind == Kind::disjunction)) return verdict(false, "relation");
  return match(links_of(tree, a), links_of(tree, b), "relation");
}

Comparison Comparer::equations(Index a, Index b) {
  const auto left_a = tree[a].children[0], right_a = tree[a].children[1];
  const auto left_b = tree[b].children[0], right_b = tree[b].children[1];
  const bool scalars = is_scalar(kind(left_a)) && is_scalar(kind(right_a)) && is_scalar(kind(left_b)) && is_scalar(kind(right_b));
  const bool named = is_name(tree, left_a) && same(tree, left_a, left_b);
  if (!scalars || kind(left_a) == Kind::call) {
    if (named) return compare(right_a, right_b);
    const auto straight = in_order({left_a, right_a}, {left_b, right_b}, "relation");
    if (straight.equality == Equality::equal) return straight;
    return in_order({left_a, right_a}, {right_b, left_b}, "relation");
  }
  if (named && is_symbol(tree[left_a]) && is_free_of(tree, right_a, tree[left_a].text) &&
      is_free_of(tree, right_b, tree[left_a].text))
    return compare(right_a, right_b);
  const auto f = add_difference(tree, left_a, right_a), g = add_difference(tree, left_b, right_b);
  {
    Normalizer normalizer(tree, work);
    const auto of_f = normalizer.normalize(f), of_g = normalizer.normalize(g);
    if (of_f && of_g && (of_f->num.is_zero() || of_g->num.is_zero()))
      return verdict(of_f->num.is_zero() && of_g->num.is_zero(), "relation");
    if (of_f && of_g && proportion(of_f->num, of_g->num)) return verdict(true, "relation");
  }
  const auto ratio = ratio_by_balls(tree, f, g, work);
  if (ratio != Ratio::varies && ratio != Ratio::unknown) return verdict(true, "relation");
  if (conventions.solve_relations && free_symbols(tree, a) == free_symbols(tree, b)) {
    const auto of_a = solutions(a), of_b = solutions(b);
    if (of_a && of_b) return collections(*of_a, *of_b);
  }
  if (ratio == Ratio::unknown) return {Equality::undecided, "relation"};
  return verdict(false, "relation");
}

// l < r is r - l > 0: equal if the differences are proportional with a positive constant and both are strict or not.
Comparison Comparer::inequalities(Index a, Index b) {
  const Node x = tree[a], y = tree[b];
  if (x.text == "in" || x.text == "notin" || y.text == "in" || y.text == "notin")
    return x.text == y.text ? in_order(x.children, y.children, "relation") : verdict(false, "relation");
  if ((x.text == "!=") != (y.text == "!=") || (x.text == "=") != (y.text == "=")) return verdict(false, "relation");
  if ((x.text.back() == '=') != (y.text.back() == '=')) return verdict(false, "relation");
  for (const auto* node : {&x, &y})
    if (!is_scalar(kind(node->children[0])) || !is_scalar(kind(node->children[1]))) return {Equality::undecided, "relation"};
  const auto difference = [&](const Node& node) {
    const bool less = node.text[0] == '<';
    return add_difference(tree, node.children[less ? 1 : 0], node.children[less ? 0 : 1]);
  };
  const auto f = difference(x), g = difference(y);
  const auto ratio = ratio_by_balls(tree, f, g, work);
  if (ratio == Ratio::unknown) return {Equality::undecided, "relation"};
  return verdict(ratio == Ratio::positive || (x.text == "!=" && ratio != Ratio::varies), "relation");
}

// x = 5 and 5, f(x) = e and e, 1 < x < 2 and (1, 2), x^2 = 4 and {-2, 2}.
Comparison Comparer::statement_and_value(Index statement, Index value, bool swapped) {
  const auto a = swapped ? value : statement, b = swapped ? statement : value;
  const Node node = tree[statement];
  if (is_equation(node) && conventions.relation_is_value) {
    const auto left = node.children[0], right = node.children[1];
    const bool own = is_symbol(tree[left]) && !is_free_of(tree, right, tree[left].text);  // x = 2x + 1 names nothing
    if (is_name(tree, left) && !own) {
      const auto result = turned(right, value, swapped);
      if (result.equality == Equality::equal || is_symbol(tree[left]) || kind(left) == Kind::call) return result;
    } else if (free_symbols(tree, left).empty()) {  // 2 + 3 = 5
      if (compare(left, right).equality != Equality::equal) return verdict(false, "relation");
      return turned(right, value, swapped);
    }
  }
  if (node.kind == Kind::relation && node.text == "in" && conventions.relation_is_value && is_name(tree, node.children[0]))
    return turned(node.children[1], value, swapped);
  const bool pair = kind(value) == Kind::tuple && tree[value].children.size() == 2;
  if (items_of(statement)) return collections(a, b);
  if ((is_region(kind(value)) || pair) && has_inequality(tree, statement))
    return conventions.relation_is_interval ? regions(a, b) : verdict(false, "kind");
  if (is_equation(node) && conventions.solve_relations && conventions.relation_is_value) {
    if (const auto solved = solutions(statement)) return turned(*solved, value, swapped);
  }
  return verdict(false, "kind");
}

}  // namespace reward::math
