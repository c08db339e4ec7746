// Equations in one unknown, of degree 1 or 2 in it.
#include "reward/math/comparer.h"
#include "reward/math/normal_form.h"
#include "reward/math/tree_tools.h"

namespace reward::math {
namespace {

// (-b +- sqrt(b^2 - 4 a c)) / (2 a)
std::vector<Index> quadratic_roots(Tree& tree, Index a, Index b, Index c) {
  const auto two = add_integer(tree, 2);
  const auto square = add(tree, Kind::power, {b, two});
  const auto product = add(tree, Kind::product, {add_integer(tree, 4), a, c});
  const auto root = add(tree, Kind::root, {add_difference(tree, square, product), two});
  const auto minus_b = add(tree, Kind::negation, {b}), below = add(tree, Kind::product, {two, a});
  const auto above = add(tree, Kind::sum, {minus_b, root}), other = add_difference(tree, minus_b, root);
  return {add(tree, Kind::quotient, {above, below}), add(tree, Kind::quotient, {other, below})};
}

}  // namespace

std::optional<Index> Comparer::solutions(Index equation) {
  const Node relation = tree[equation];
  if (relation.kind != Kind::relation || relation.text != "=") return std::nullopt;
  const auto names = free_symbols(tree, equation);
  if (names.size() != 1) return std::nullopt;
  const auto& unknown = names[0];
  const auto f = add_difference(tree, relation.children[0], relation.children[1]);
  int64_t degree = -1;
  {
    Normalizer normalizer(tree, work);
    const auto form = normalizer.normalize(f);
    if (form) degree = normalizer.degree_in(*form, unknown);
  }
  if (degree != 1 && degree != 2) return std::nullopt;
  // The polynomial through its values at 0, 1 and -1.
  work.spend(static_cast<int64_t>(tree.nodes.size()));
  const auto at = [&](int64_t x) {
    const auto point = add_integer(tree, x);
    return substitute(tree, f, unknown, point);
  };
  const auto c = at(0), above = at(1);
  if (degree == 1) return add(tree, Kind::set, {add(tree, Kind::quotient, {c, add_difference(tree, c, above)})});
  const auto below = at(-1), two = add_integer(tree, 2);
  const auto even = add(tree, Kind::quotient, {add(tree, Kind::sum, {above, below}), two});
  const auto b = add(tree, Kind::quotient, {add_difference(tree, above, below), two});
  return add(tree, Kind::set, quadratic_roots(tree, add_difference(tree, even, c), b, c));
}

}  // namespace reward::math
