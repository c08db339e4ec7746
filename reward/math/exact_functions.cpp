#include "reward/math/exact_functions.h"

#include <algorithm>
#include <cmath>

namespace reward::math {
namespace {

using State = Exact::State;

Exact with(State state) { return {state, Rational()}; }
Exact with(Rational value) { return {State::value, std::move(value)}; }

Exact whole_power(const Rational& base, const Integer& exponent, Work& work) {
  if (fmpz_is_zero(exponent)) return base.is_zero() ? with(State::undefined) : with(Rational(1));
  if (base.is_zero()) return fmpz_sgn(exponent) < 0 ? with(State::undefined) : with(Rational(0));
  if (base.is_integer() && fmpz_is_pm1(base.num())) return with(Rational(base.sign() < 0 && fmpz_is_odd(exponent) ? -1 : 1));
  if (fmpz_bits(exponent) > 40) return with(State::too_big);
  const int64_t n = fmpz_get_si(exponent), count = n < 0 ? -n : n;
  // At least one of numerator and denominator has two bits or more, so the result has at least count * (bits - 1) of them.
  const int64_t wide = static_cast<int64_t>(std::max(fmpz_bits(base.num()), fmpz_bits(base.den())));
  if (count > 2 * work.result_bits() || count * (wide - 1) > work.result_bits()) return with(State::too_big);
  work.spend_bits(count * wide);
  Rational result;
  fmpq_pow_si(result, base, n);
  if (result.bits() > 2 * work.result_bits()) return with(State::too_big);
  return with(std::move(result));
}

// The degree-th root, if it is rational. degree >= 2; x >= 0 or an odd degree.
Exact perfect_root(const Rational& x, int64_t degree, Work& work) {
  work.spend_bits(2 * x.bits());
  Rational result;
  if (!fmpz_root(result.num(), x.num(), degree) || !fmpz_root(result.den(), x.den(), degree)) return with(State::none);
  return with(std::move(result));
}

Exact round_to_integer(const Rational& x, bool down) {
  Rational result;
  if (down) fmpz_fdiv_q(result.num(), x.num(), x.den());
  else fmpz_cdiv_q(result.num(), x.num(), x.den());
  return with(std::move(result));
}

Exact gcd_or_lcm(bool gcd, const std::vector<Rational>& x, Work& work) {
  Rational result = x[0];
  for (const auto& next : x) {
    if (!next.is_integer()) return with(State::none);
    work.spend_bits(result.bits() + next.bits());
    if (gcd) fmpz_gcd(result.num(), result.num(), next.num());
    else fmpz_lcm(result.num(), result.num(), next.num());
    if (result.bits() > work.result_bits()) return with(State::too_big);
  }
  return with(std::move(result));
}

// a - b * floor(a / b)
Exact modulo(const Rational& a, const Rational& b, Work& work) {
  if (b.is_zero()) return with(State::undefined);
  if (!a.is_integer() || !b.is_integer()) return with(State::none);
  work.spend_bits(a.bits() + b.bits());
  Rational result;
  fmpz_fdiv_r(result.num(), a.num(), b.num());
  return with(std::move(result));
}

Exact binomial(const Rational& n, const Rational& k, Work& work) {
  if (!n.is_integer() || !k.is_integer() || n.sign() < 0) return with(State::none);
  if (k.sign() < 0 || fmpz_cmp(k.num(), n.num()) > 0) return with(Rational(0));
  Integer rest;
  fmpz_sub(rest, n.num(), k.num());
  const fmpz* less = fmpz_cmp(rest, k.num()) < 0 ? static_cast<const fmpz*>(rest) : k.num();
  if (fmpz_bits(n.num()) > 60 || fmpz_cmp_si(less, work.result_bits()) > 0) return with(State::too_big);
  const int64_t count = fmpz_get_si(less), bits = count * static_cast<int64_t>(fmpz_bits(n.num()));
  if (bits > 2 * work.result_bits()) return with(State::too_big);
  work.spend_bits(bits);
  Rational result;
  fmpz_bin_uiui(result.num(), fmpz_get_ui(n.num()), static_cast<ulong>(count));
  return with(std::move(result));
}

// log_b x where b^p = x^q for a small q: the only rational values there are have such p and q.
Exact logarithm(const Rational& x, const Rational& base, Work& work) {
  if (x.sign() <= 0 || base.sign() <= 0 || fmpq_is_one(base)) return with(State::undefined);
  if (fmpq_is_one(x)) return with(Rational(0));
  const auto log2 = [](const Rational& r) {
    return fmpz_dlog(r.num()) - fmpz_dlog(r.den());
  };
  const double ratio = log2(x) / log2(base);
  if (!std::isfinite(ratio)) return with(State::none);
  for (int64_t q = 1; q <= 12; ++q) {
    const double p = std::round(ratio * static_cast<double>(q));
    if (std::abs(p) > 1e6 || p == 0 || std::abs(p - ratio * static_cast<double>(q)) > 1e-6) continue;
    const auto left = whole_power(base, Integer(static_cast<int64_t>(p)), work), right = whole_power(x, Integer(q), work);
    if (!left.ok() || !right.ok() || !fmpq_equal(left.value, right.value)) continue;
    Rational result;
    fmpq_set_si(result, static_cast<int64_t>(p), static_cast<ulong>(q));
    return with(std::move(result));
  }
  return with(State::none);
}

Exact greatest_or_least(bool greatest, const std::vector<Rational>& x) {
  const auto less = [](const Rational& a, const Rational& b) { return fmpq_cmp(a, b) < 0; };
  return with(greatest ? *std::max_element(x.begin(), x.end(), less) : *std::min_element(x.begin(), x.end(), less));
}

// Values at 0 and 1 that are rational; the balls find the others.
Exact elementary(const std::string& name, const Rational& x) {
  const bool zero = x.is_zero();
  if (zero && (name == "sin" || name == "tan" || name == "arcsin" || name == "arctan" || name == "sinh" || name == "tanh"))
    return with(Rational(0));
  if (zero && (name == "cos" || name == "sec" || name == "exp" || name == "cosh")) return with(Rational(1));
  if (zero && (name == "cot" || name == "csc" || name == "coth")) return with(State::undefined);
  if (name == "ln") {
    if (x.sign() == 0) return with(State::undefined);
    return fmpq_is_one(x) ? with(Rational(0)) : with(State::none);
  }
  return with(State::none);
}

}  // namespace

Exact exact_power(const Rational& base, const Rational& exponent, Work& work) {
  Integer top;
  fmpz_set(top, exponent.num());
  if (exponent.is_integer()) return whole_power(base, top, work);
  if (base.is_zero()) return exponent.sign() < 0 ? with(State::undefined) : with(Rational(0));
  if (fmpz_cmp_si(exponent.den(), 1000) > 0) return fmpq_is_one(base) ? with(Rational(1)) : with(State::none);
  const int64_t degree = fmpz_get_si(exponent.den());
  if (base.sign() < 0 && degree % 2 == 0) return with(State::none);
  const auto root = perfect_root(base, degree, work);
  return root.ok() ? whole_power(root.value, top, work) : root;
}

Exact exact_factorial(const Rational& n, Work& work) {
  if (!n.is_integer()) return with(State::none);
  if (n.sign() < 0) return with(State::undefined);
  if (fmpz_cmp_si(n.num(), 10000000) > 0) return with(State::too_big);
  const auto count = static_cast<double>(fmpz_get_si(n.num()));
  const auto bits = static_cast<int64_t>(count * std::log2(count / 2.718281828 + 1)) + 8;  // Stirling
  if (bits > work.result_bits()) return with(State::too_big);
  work.spend_bits(bits);
  Rational result;
  fmpz_fac_ui(result.num(), fmpz_get_ui(n.num()));
  return with(std::move(result));
}

Exact exact_function(const std::string& name, const std::vector<Rational>& x, Work& work) {
  if (name == "abs") {
    Rational result;
    fmpq_abs(result, x[0]);
    return with(std::move(result));
  }
  if (name == "floor" || name == "ceil") return round_to_integer(x[0], name == "floor");
  if (name == "sgn") return with(Rational(x[0].sign()));
  if (name == "gcd" || name == "lcm") return gcd_or_lcm(name == "gcd", x, work);
  if (name == "max" || name == "min") return greatest_or_least(name == "max", x);
  if (name == "mod") return modulo(x[0], x[1], work);
  if (name == "binomial") return binomial(x[0], x[1], work);
  if (name == "log") return logarithm(x[0], x.size() > 1 ? x[1] : Rational(10), work);
  if (name == "re" || name == "conj") return with(x[0]);
  if (name == "im") return with(Rational(0));
  return elementary(name, x[0]);
}

}  // namespace reward::math
