// Numbers and expressions: exact rationals, decimals, normal forms, balls, in this order.
#include <algorithm>

#include "reward/math/ball.h"
#include "reward/math/comparer.h"
#include "reward/math/decimal_rule.h"
#include "reward/math/normal_form.h"
#include "reward/math/tree_tools.h"

namespace reward::math {
namespace {

using State = Exact::State;

Comparison verdict(bool equal, const char* reason) { return {equal ? Equality::equal : Equality::different, reason}; }

// A fraction of two whole literals, or one whole literal, with the sign taken off.
struct WrittenFraction {
  const Node* num = nullptr;
  const Node* den = nullptr;
  bool negative = false;
};

std::optional<WrittenFraction> written_fraction(const Tree& tree, Index at) {
  WrittenFraction f;
  while (tree[at].kind == Kind::negation) f.negative = !f.negative, at = tree[at].children[0];
  const auto* node = &tree[at];
  if (node->kind == Kind::integer) return f.num = node, f;
  if (node->kind != Kind::quotient) return std::nullopt;
  for (const auto child : node->children)
    if (tree[child].kind != Kind::integer) return std::nullopt;
  f.num = &tree[node->children[0]], f.den = &tree[node->children[1]];
  return f;
}

// +1 and -1 for the two infinities, 0 for all else.
int infinity_sign(const Tree& tree, Index at, Work& work) {
  const auto& node = tree[at];
  if (node.kind == Kind::infinity) return 1;
  if (node.kind == Kind::negation) return -infinity_sign(tree, node.children[0], work);
  if (node.kind != Kind::product) return 0;
  int sign = 1, infinities = 0;
  for (const auto child : node.children) {
    if (const int s = infinity_sign(tree, child, work)) {
      sign *= s, ++infinities;
      continue;
    }
    const auto value = exact_value(tree, child, work);
    if (!value.ok() || value.value.is_zero()) return 0;
    sign *= value.value.sign();
  }
  return infinities > 0 ? sign : 0;
}

}  // namespace

// Without reduction 2/4 is not 1/2, and 4/2 is not 2: the rule of the prm800k grader.
std::optional<Comparison> Comparer::as_written(Index a, Index b) {
  if (conventions.reduce_fractions) return std::nullopt;
  const auto x = written_fraction(tree, a), y = written_fraction(tree, b);
  if (!x || !y) return std::nullopt;
  if (!x->den != !y->den) return verdict(false, "fraction");
  if (!x->den) return std::nullopt;
  return verdict(x->num->text == y->num->text && x->den->text == y->den->text && x->negative == y->negative, "fraction");
}

bool Comparer::decimals_agree(Index a, Index b, const Exact& x, const Exact& y) {
  const auto of_a = literal_of(tree, a, work), of_b = literal_of(tree, b, work);
  const auto digits = conventions.decimal_digits;
  if (of_a && of_b && literals_agree(*of_a, *of_b, digits)) return true;
  const auto number = [&](Index at, const Exact& known) {
    return known.ok() ? std::optional<Rational>(known.value) : approximation(tree, at, work);
  };
  if (conventions.round_to_gold && of_b) {
    const auto value = number(a, x);
    if (value && rounds_to(*value, *of_b)) return true;
  }
  const bool whole = (x.ok() && x.value.is_integer()) || (y.ok() && y.value.is_integer());
  if (whole) return false;
  if (of_a.has_value() != of_b.has_value()) {
    const auto value = of_a ? number(b, y) : number(a, x);
    if (value && agrees_in_digits(of_a ? *of_a : *of_b, *value, digits)) return true;
  }
  return conventions.relative_tolerance > 0 && within(tree, a, b, conventions.relative_tolerance, work);
}

std::optional<Comparison> Comparer::infinities(Index a, Index b) {
  const bool in_a = has(tree, a, {Kind::infinity}), in_b = has(tree, b, {Kind::infinity});
  if (!in_a && !in_b) return std::nullopt;
  const int of_a = infinity_sign(tree, a, work), of_b = infinity_sign(tree, b, work);
  if ((in_a && of_a == 0) || (in_b && of_b == 0)) return Comparison{Equality::undecided, "infinity"};
  return verdict(of_a == of_b, "infinity");
}

Comparison Comparer::values(Index a, Index b) {
  if (same(tree, a, b)) return verdict(true, "same");
  if (const auto written = as_written(a, b)) return *written;
  if (const auto infinite = infinities(a, b)) return *infinite;
  const auto x = exact_value(tree, a, work), y = exact_value(tree, b, work);
  const bool x_undefined = x.state == State::undefined, y_undefined = y.state == State::undefined;
  if (x_undefined && y_undefined) return {Equality::undecided, "undefined"};
  if (x_undefined || y_undefined) return verdict(false, "undefined");
  if (x.ok() && y.ok() && fmpq_equal(x.value, y.value)) return verdict(true, "rational");
  if (decimals_agree(a, b, x, y)) return verdict(true, "decimal");
  if (x.ok() && y.ok()) return verdict(false, "rational");
  return symbolic(a, b);
}

Comparison Comparer::symbolic(Index a, Index b) {
  Normalizer normalizer(tree, work);
  const auto of_a = normalizer.normalize(a);
  const bool a_undefined = normalizer.undefined();
  const auto of_b = normalizer.normalize(b);
  const bool b_undefined = !of_b && normalizer.undefined() && !a_undefined;
  if (a_undefined && !of_b) return {Equality::undecided, "undefined"};
  if (a_undefined || b_undefined) return verdict(false, "undefined");
  std::optional<Fraction> difference;
  if (of_a && of_b) difference = normalizer.subtract(*of_a, *of_b);
  if (difference && difference->num.is_zero()) {
    // A constant may hide a division by zero from the normal form: 1/sin(pi).
    const bool constant = free_symbols(tree, a).empty() && free_symbols(tree, b).empty();
    const bool defined = !constant || (is_defined(tree, a, work) && is_defined(tree, b, work));
    if (defined) return verdict(true, "normal_form");
    return {Equality::undecided, "undefined"};
  }
  if (difference && constant_value(*difference)) return verdict(false, "normal_form");
  const auto ball = compare_by_balls(tree, a, b, work, difference ? &normalizer : nullptr, difference ? &*difference : nullptr);
  if (ball == Ball::undecided) return {Equality::undecided, "ball"};
  return verdict(ball == Ball::equal, "ball");
}

}  // namespace reward::math
