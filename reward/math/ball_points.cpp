#include "reward/math/ball_points.h"

#include <algorithm>

#include "reward/math/ball_evaluator.h"
#include "reward/math/tree_tools.h"

namespace reward::math {
namespace {

uint64_t random_bits(uint64_t point, uint64_t symbol) {  // splitmix64 of the pair
  uint64_t x = (point * 1000 + symbol + 1) * 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

constexpr int64_t denominator = 1009;  // a prime, beyond the degrees of roots that exact_power tries

Rational random_value(int64_t point, uint64_t symbol, bool whole) {
  const auto bits = random_bits(static_cast<uint64_t>(point), symbol);
  if (whole) return Rational(static_cast<int64_t>(bits % 40) + 1);
  const int64_t round = point / 3, kind = point % 3;
  const bool large = kind == 1 || (kind == 2 && round % 2 == 0);
  int64_t top = static_cast<int64_t>(bits % static_cast<uint64_t>(denominator - 1)) + 1;
  if (large) top += denominator * static_cast<int64_t>((bits >> 32) % 9 + 1);
  // The first two of the third kind are negative in all symbols, so that sqrt(x^2) always meets a negative x.
  if (kind == 2 && (round < 2 || (bits >> 48) % 2 == 0)) top = -top;
  Rational value;
  fmpq_set_si(value, top, denominator);
  return value;
}

Rational piece_value(int64_t point, uint64_t symbol) {
  const auto bits = random_bits(static_cast<uint64_t>(point), symbol);
  constexpr int64_t far[] = {10, 1000, 100000, 10000000}, near[] = {1, 2, 3, 5};
  const int64_t number = point - first_piece;
  const bool is_near = number >= far_pieces, is_whole = !is_near && number % 2 == 1;
  const int64_t size = is_near ? near[number % 4] : far[number / 2 % 4];
  int64_t top = static_cast<int64_t>((bits >> 8) % static_cast<uint64_t>(size)) + 1;
  if (!is_whole) top = top * denominator - static_cast<int64_t>(bits % static_cast<uint64_t>(denominator - 1)) - 1;
  Rational value;
  fmpq_set_si(value, (bits >> 60) % 2 == 0 ? top : -top, is_whole ? 1 : static_cast<uint64_t>(denominator));
  fmpq_canonicalise(value);
  return value;
}

bool in_pieces(const Tree& tree, Index at) {
  const auto& node = tree[at];
  const auto& name = node.text;
  if (node.kind == Kind::function && (name == "abs" || name == "floor" || name == "ceil" || name == "max" || name == "min" ||
                                      name == "sgn" || name == "norm" || name == "mod" || name == "gcd" || name == "lcm"))
    return true;
  if (node.kind == Kind::root) return true;
  if (node.kind == Kind::power && tree[node.children[1]].kind == Kind::quotient) return true;
  return std::any_of(node.children.begin(), node.children.end(), [&](Index child) { return in_pieces(tree, child); });
}

bool is_constant(const Tree& tree, Index at) { return free_symbols(tree, at).empty(); }

bool needs_whole(const Tree& tree, Index at) {
  const auto& node = tree[at];
  const auto& c = node.children;
  const bool sum = node.kind == Kind::finite_sum || node.kind == Kind::finite_product;
  if (sum && !(is_constant(tree, c[1]) && is_constant(tree, c[2]))) return true;
  const bool divides = node.kind == Kind::function && (node.text == "gcd" || node.text == "lcm" || node.text == "mod");
  if (divides && !is_constant(tree, at)) return true;
  const bool of_negative = node.kind == Kind::power && tree[c[0]].kind == Kind::negation && is_constant(tree, c[0]);
  if (of_negative && !is_constant(tree, c[1])) return true;
  return std::any_of(c.begin(), c.end(), [&](Index child) { return needs_whole(tree, child); });
}

bool needs_complex(const Tree& tree, Index at) {
  const auto& node = tree[at];
  if (node.kind == Kind::imaginary) return true;
  const auto& name = node.text;
  if (node.kind == Kind::function && (name == "re" || name == "im" || name == "conj" || name == "arg")) return true;
  return std::any_of(node.children.begin(), node.children.end(), [&](Index child) { return needs_complex(tree, child); });
}

bool is_complex_name(const std::string& name) {
  const auto stem = name.substr(0, name.find_first_of("_'"));
  return stem == "z" || stem == "w" || stem == "omega";
}

}  // namespace

PointPlan plan_points(const Tree& tree, Index a, Index b) {
  PointPlan plan;
  const auto of_a = free_symbols(tree, a), of_b = free_symbols(tree, b);
  std::set_union(of_a.begin(), of_a.end(), of_b.begin(), of_b.end(), std::back_inserter(plan.symbols));
  if (has(tree, a, {Kind::call}) || has(tree, b, {Kind::call})) plan.symbols.push_back(any_function);
  plan.whole = !plan.symbols.empty() && (needs_whole(tree, a) || needs_whole(tree, b));
  plan.complex = needs_complex(tree, a) || needs_complex(tree, b);
  plan.pieces = !plan.symbols.empty() && !plan.complex && (in_pieces(tree, a) || in_pieces(tree, b));
  return plan;
}

Bindings make_point(const PointPlan& plan, int64_t number) {
  Bindings point;
  for (size_t i = 0; i < plan.symbols.size(); ++i) {
    const bool far = number >= first_piece && !plan.whole;
    auto value = far ? piece_value(number, 2 * i) : random_value(number, 2 * i, plan.whole);
    if (plan.complex && !plan.whole && is_complex_name(plan.symbols[i])) {
      point.push_back({real_part_of(plan.symbols[i]), std::move(value)});
      point.push_back({imaginary_part_of(plan.symbols[i]), random_value(number, 2 * i + 1, false)});
    } else {
      point.push_back({plan.symbols[i], std::move(value)});
    }
  }
  return point;
}

}  // namespace reward::math
