// Words, choice letters, and what stands behind a number: units, percent signs, degree signs.
#include "reward/math/comparer.h"
#include "reward/math/tree_tools.h"

namespace reward::math {
namespace {

Comparison verdict(bool equal, const char* reason) { return {equal ? Equality::equal : Equality::different, reason}; }

std::string lower(std::string text) {
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

// A copy without degree signs: each angle as it is, or in radians.
Index without_degrees(Tree& tree, Index at, bool radians) {
  if (!has(tree, at, {Kind::degrees})) return at;
  Node copy = tree[at];
  for (auto& child : copy.children) child = without_degrees(tree, child, radians);
  if (copy.kind != Kind::degrees) {
    tree.nodes.push_back(std::move(copy));
    return static_cast<Index>(tree.nodes.size()) - 1;
  }
  if (!radians) return copy.children[0];
  const auto pi = add(tree, Kind::pi, {});
  return add(tree, Kind::quotient, {add(tree, Kind::product, {copy.children[0], pi}), add_integer(tree, 180)});
}

}  // namespace

// A choice letter is also a symbol (the point B) and a word of one letter. Symbols keep their case, words have none.
Comparison Comparer::texts(Index a, Index b) const {
  const auto word = [&](Index at) -> std::string {
    const auto& node = tree[at];
    if (node.kind == Kind::text) return node.text;
    return node.kind == Kind::choice || node.kind == Kind::symbol ? lower(node.text) : "";
  };
  const auto x = word(a), y = word(b);
  if (x.empty() || y.empty()) return verdict(false, "text");
  if (kind(a) != Kind::text && kind(b) != Kind::text) return verdict(tree[a].text == tree[b].text, "choice");
  return verdict(x == y, "text");
}

// 5 cm and 5, where a missing unit is allowed; 5 cm and 5 m never. A letter read as a unit on one side may be a variable on
// the other: 5m is also 5 times m.
Comparison Comparer::quantities(Index a, Index b) {
  const bool of_a = kind(a) == Kind::quantity, of_b = kind(b) == Kind::quantity;
  if (of_a && of_b) {
    if (tree[a].text != tree[b].text) return verdict(false, "unit");
    return compare(tree[a].children[0], tree[b].children[0]);
  }
  const auto with = of_a ? a : b, other = of_a ? b : a;
  const auto unit = tree[with].text;
  const auto amount = tree[with].children[0];
  if (!is_free_of(tree, other, unit)) {
    const auto product = add(tree, Kind::product, {amount, add(tree, Kind::symbol, {}, unit)});
    return of_a ? compare(product, b) : compare(a, product);
  }
  if (has(tree, other, {Kind::degrees})) {  // degrees are a unit, radians the only other one of angles
    if (unit != "radian") return verdict(false, "unit");
    const auto radians = without_degrees(tree, other, true);
    return of_a ? compare(amount, radians) : compare(radians, amount);
  }
  if (!conventions.units_optional) return verdict(false, "unit");
  return of_a ? compare(amount, b) : compare(a, amount);
}

Comparison Comparer::percents(Index a, Index b) {
  const bool of_a = kind(a) == Kind::percent, of_b = kind(b) == Kind::percent;
  const auto bare_a = of_a ? tree[a].children[0] : a, bare_b = of_b ? tree[b].children[0] : b;
  if (of_a && of_b) return compare(bare_a, bare_b);
  if (conventions.percent_sign_optional) {
    if (const auto result = compare(bare_a, bare_b); result.equality == Equality::equal) return result;
  }
  if (conventions.percent_is_hundredth) return values(a, b);
  return verdict(false, "percent");
}

// x degrees equals x (where degree signs are optional) and, where the other side is written with pi, x pi / 180. With degree
// signs on both sides the numbers are compared.
Comparison Comparer::angles(Index a, Index b) {
  const bool of_a = has(tree, a, {Kind::degrees}), of_b = has(tree, b, {Kind::degrees});
  if (!of_a && !of_b) return values(a, b);
  if ((of_a && of_b) || conventions.degrees_optional) {
    const auto bare_a = without_degrees(tree, a, false), bare_b = without_degrees(tree, b, false);
    if (const auto result = values(bare_a, bare_b); result.equality == Equality::equal || (of_a && of_b)) return result;
  }
  if (!has(tree, of_a ? b : a, {Kind::pi})) return verdict(false, "degrees");
  const auto radians_a = without_degrees(tree, a, true), radians_b = without_degrees(tree, b, true);
  return values(radians_a, radians_b);
}

}  // namespace reward::math
