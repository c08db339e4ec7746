#include "reward/math/fraction_field.h"

#include <algorithm>
#include <cmath>

namespace reward::math {
namespace {

constexpr int64_t most_products = 50000;      // term products of one multiplication
constexpr int64_t most_poly_terms = 2000;
constexpr int64_t most_degree = 1 << 24;      // of one variable in a monomial
constexpr int64_t most_gcd_terms = 80, most_gcd_degree = 40;

int64_t largest_degree(const Poly& p) {
  int64_t largest = 0;
  for (int64_t i = 0; i < p.ring().variables(); ++i) largest = std::max<int64_t>(largest, fmpq_mpoly_degree_si(p, i, p.ring()));
  return largest;
}

Poly constant_poly(const PolyRing& ring, const Rational& value) {
  Poly p(ring);
  fmpq_mpoly_set_fmpq(p, value, ring);
  return p;
}

}  // namespace

Fraction FractionField::constant(const Rational& value) const {
  return {constant_poly(ring_, value), constant_poly(ring_, Rational(1))};
}

Fraction FractionField::generator(int64_t atom) const {
  auto f = constant(Rational(1));
  fmpq_mpoly_gen(f.num, atom, ring_);
  return f;
}

Poly FractionField::times(const Poly& a, const Poly& b) {
  const int64_t products = a.terms() * b.terms(), bits = a.coefficient_bits() + b.coefficient_bits();
  if (products > most_products || bits > work_.result_bits()) throw TooLarge{};
  work_.spend(10 + products * (5 + bits / 32));
  Poly result(ring_);
  fmpq_mpoly_mul(result, a, b, ring_);
  if (result.terms() > most_poly_terms) throw TooLarge{};
  return result;
}

// Whether base^exponent stays within the caps, by an upper bound of its terms and coefficients.
bool FractionField::can_power(const Fraction& base, int64_t exponent) const {
  const auto n = static_cast<double>(exponent < 0 ? -exponent : exponent);
  for (const Poly* p : {&base.num, &base.den}) {
    const auto t = static_cast<double>(p->terms());
    if (n > most_degree || static_cast<double>(largest_degree(*p)) * n > most_degree) return false;
    if (static_cast<double>(p->coefficient_bits() - 1) * n > static_cast<double>(work_.result_bits()) / 4 && !p->is_zero()) {
      if (p->coefficient_bits() > 3) return false;  // 1 has 3 bits by this count: it stays 1
    }
    if (t > 1 && (n > 64 || std::lgamma(t + n) - std::lgamma(t) - std::lgamma(n + 1) > std::log(most_poly_terms))) return false;
  }
  return true;
}

Poly FractionField::power(const Poly& base, int64_t exponent) {
  const double work = static_cast<double>(base.terms() * base.terms()) * static_cast<double>(exponent) + 20;
  if (work > 1e7) throw TooLarge{};
  work_.spend(base.terms() == 1 ? 30 + exponent * base.coefficient_bits() / 64 : static_cast<int64_t>(work) * 20);
  Poly result(ring_);
  if (!fmpq_mpoly_pow_ui(result, base, static_cast<ulong>(exponent), ring_)) throw TooLarge{};
  if (result.terms() > most_poly_terms || result.coefficient_bits() > work_.result_bits()) throw TooLarge{};
  return result;
}

bool FractionField::reducible(const Poly& p, size_t atom) const {
  const auto degree = atoms_[atom].degree;
  return degree > 0 && fmpq_mpoly_degree_si(p, static_cast<slong>(atom), ring_) >= degree;
}

// p with r^(n k + m) written as radicand^k r^m.
Fraction FractionField::replace_powers(const Poly& p, size_t atom) {
  const auto n = static_cast<ulong>(atoms_[atom].degree);
  std::vector<std::pair<ulong, Poly>> parts;  // by k
  std::vector<ulong> exponents(static_cast<size_t>(ring_.variables()));
  Rational coefficient;
  for (int64_t t = 0; t < p.terms(); ++t) {
    work_.spend(20);
    fmpq_mpoly_get_term_coeff_fmpq(coefficient, p, t, ring_);
    fmpq_mpoly_get_term_exp_ui(exponents.data(), p, t, ring_);
    const ulong k = exponents[atom] / n;
    exponents[atom] %= n;
    auto part = std::find_if(parts.begin(), parts.end(), [&](const auto& q) { return q.first == k; });
    if (part == parts.end()) part = parts.insert(parts.end(), {k, Poly(ring_)});
    fmpq_mpoly_push_term_fmpq_ui(part->second, coefficient, exponents.data(), ring_);
  }
  const auto& radicand = atoms_[atom].arguments[0];
  auto result = constant(Rational(0));
  for (auto& [k, part] : parts) {
    fmpq_mpoly_sort_terms(part, ring_);
    fmpq_mpoly_combine_like_terms(part, ring_);
    const auto exponent = static_cast<int64_t>(k);
    if (exponent > 0 && !can_power(radicand, exponent)) throw TooLarge{};
    const Poly top = exponent > 0 ? times(part, power(radicand.num, exponent)) : part;
    const Poly bottom = exponent > 0 ? power(radicand.den, exponent) : constant_poly(ring_, Rational(1));
    Poly left = times(result.num, bottom);
    const Poly right = times(top, result.den);
    fmpq_mpoly_add(left, left, right, ring_);
    result = {std::move(left), times(result.den, bottom)};
  }
  return result;
}

// Later atoms may have earlier ones in their radicands, never the other way round.
Fraction FractionField::reduced(const Poly& p) {
  Fraction result{p, constant_poly(ring_, Rational(1))};
  for (size_t atom = atoms_.size(); atom-- > 0;) {
    if (!reducible(result.num, atom)) continue;
    auto next = replace_powers(result.num, atom);
    result = {std::move(next.num), times(result.den, next.den)};
  }
  return result;
}

Fraction FractionField::finished(Poly num, Poly den) {
  const auto needs_work = [&] {
    for (size_t atom = 0; atom < atoms_.size(); ++atom)
      if (reducible(num, atom) || reducible(den, atom)) return true;
    return false;
  };
  for (int round = 0; round < 8 && needs_work(); ++round) {
    const auto top = reduced(num), bottom = reduced(den);
    if (bottom.num.is_zero()) throw Undefined{};
    num = times(top.num, bottom.den), den = times(top.den, bottom.num);
  }
  if (den.is_zero()) throw Undefined{};
  Fraction f{std::move(num), std::move(den)};
  cancel(f);
  return f;
}

// A smaller form, never needed for the meaning; skipped where it could cost much.
void FractionField::cancel(Fraction& f) {
  if (f.num.is_zero()) return void(f.den = constant_poly(ring_, Rational(1)));
  if (f.den.is_constant()) {
    Rational value;
    fmpq_mpoly_get_fmpq(value, f.den, ring_);
    if (fmpq_is_one(value)) return;
    fmpq_inv(value, value);
    fmpq_mpoly_scalar_mul_fmpq(f.num, f.num, value, ring_);
    return void(f.den = constant_poly(ring_, Rational(1)));
  }
  const int64_t terms = f.num.terms() + f.den.terms(), bits = f.num.coefficient_bits() + f.den.coefficient_bits();
  if (terms > most_gcd_terms || bits > 2000 || std::max(largest_degree(f.num), largest_degree(f.den)) > most_gcd_degree) return;
  work_.spend(100 + terms * terms * (5 + bits / 32));
  Poly gcd(ring_), num(ring_), den(ring_);
  if (!fmpq_mpoly_gcd_cofactors(gcd, num, den, f.num, f.den, ring_)) return;
  f = {std::move(num), std::move(den)};
  if (f.den.is_constant()) cancel(f);
}

Fraction FractionField::add(const Fraction& a, const Fraction& b) {
  if (fmpq_mpoly_equal(a.den, b.den, ring_)) {
    Poly num(ring_);
    work_.spend(10 + a.num.terms() + b.num.terms());
    fmpq_mpoly_add(num, a.num, b.num, ring_);
    return finished(std::move(num), a.den);
  }
  Poly num = times(a.num, b.den);
  const Poly other = times(b.num, a.den);
  fmpq_mpoly_add(num, num, other, ring_);
  return finished(std::move(num), times(a.den, b.den));
}

Fraction FractionField::negate(Fraction a) {
  work_.spend(5 + a.num.terms());
  fmpq_mpoly_neg(a.num, a.num, ring_);
  return a;
}

Fraction FractionField::multiply(const Fraction& a, const Fraction& b) {
  return finished(times(a.num, b.num), times(a.den, b.den));
}

Fraction FractionField::divide(const Fraction& a, const Fraction& b) {
  if (b.num.is_zero()) throw Undefined{};
  return finished(times(a.num, b.den), times(a.den, b.num));
}

Fraction FractionField::power(const Fraction& base, int64_t exponent) {
  if (exponent <= 0 && base.num.is_zero()) throw Undefined{};
  if (!can_power(base, exponent)) throw TooLarge{};
  if (exponent >= 0) return finished(power(base.num, exponent), power(base.den, exponent));
  return finished(power(base.den, -exponent), power(base.num, -exponent));
}

bool FractionField::equal(const Fraction& a, const Fraction& b) { return add(a, negate(b)).num.is_zero(); }

}  // namespace reward::math
