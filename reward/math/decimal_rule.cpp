#include "reward/math/decimal_rule.h"

#include "reward/math/exact.h"

namespace reward::math {
namespace {

constexpr int64_t most_place = 2000;  // beyond 10^2000 nobody writes decimals

Rational power_of_ten(int64_t exponent) {
  Rational ten(10), result;
  fmpq_pow_si(result, ten, exponent);
  return result;
}

// |x| / 10^place, rounded half up or cut.
Integer units(const Rational& x, int64_t place, bool round) {
  Rational scaled;
  fmpq_abs(scaled, x);
  fmpq_div(scaled, scaled, power_of_ten(place));
  if (round) {
    Rational half;
    fmpq_set_si(half, 1, 2);
    fmpq_add(scaled, scaled, half);
  }
  Integer result;
  fmpz_fdiv_q(result, scaled.num(), scaled.den());
  return result;
}

bool same_units(const Rational& x, const Rational& y, int64_t place, bool round) {
  return x.sign() == y.sign() && fmpz_equal(units(x, place, round), units(y, place, round));
}

}  // namespace

std::optional<DecimalLiteral> literal_of(const Tree& tree, Index at, Work& work) {
  const auto value = [&, whole = at] { return exact_value(tree, whole, work); };
  int64_t shift = 0;
  while (tree[at].kind == Kind::negation || tree[at].kind == Kind::percent) {
    if (tree[at].kind == Kind::percent) shift -= 2;
    at = tree[at].children[0];
  }
  const auto& node = tree[at];
  if (node.kind != Kind::decimal) return std::nullopt;
  DecimalLiteral literal;
  int64_t behind = 0;
  bool point = false;
  for (const char c : node.text) {
    if (c == '.') point = true;
    else behind += point, literal.digits += literal.digits > 0 || c != '0';
  }
  literal.place = node.number - behind + shift;
  if (literal.place > most_place || literal.place < -most_place || literal.digits > most_place) return std::nullopt;
  const auto exact = value();
  if (!exact.ok()) return std::nullopt;
  literal.value = exact.value;
  return literal;
}

bool literals_agree(const DecimalLiteral& a, const DecimalLiteral& b, int64_t digits) {
  if (digits <= 0 || a.place == b.place) return false;
  if (a.value.is_integer() || b.value.is_integer()) return false;
  return a.place > b.place ? agrees_in_digits(a, b.value, digits) : agrees_in_digits(b, a.value, digits);
}

bool agrees_in_digits(const DecimalLiteral& literal, const Rational& value, int64_t digits) {
  if (digits <= 0 || literal.digits < digits) return false;
  if (!same_units(literal.value, value, literal.place + literal.digits - digits, true)) return false;
  return same_units(literal.value, value, literal.place, true) || same_units(literal.value, value, literal.place, false);
}

bool rounds_to(const Rational& value, const DecimalLiteral& literal) {
  Rational distance, half;
  fmpq_sub(distance, value, literal.value);
  fmpq_abs(distance, distance);
  fmpq_div_fmpz(half, power_of_ten(literal.place), Integer(2));
  return fmpq_cmp(distance, half) <= 0;
}

}  // namespace reward::math
