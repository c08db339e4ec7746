#include "reward/math/ball_evaluator.h"

#include <algorithm>

#include "reward/math/tree_tools.h"

namespace reward::math {
namespace {

constexpr int64_t elementary_cost = 20;  // in multiplications
constexpr int64_t gamma_cost = 200;
constexpr int64_t longest_exponent = 16;  // bits of its whole part; beyond it the exact stages have given up too

uint64_t mixed(uint64_t x) {  // splitmix64
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

uint64_t fingerprint(const Tree& tree, Index at) {
  const auto& node = tree[at];
  uint64_t h = mixed(static_cast<uint64_t>(node.kind) * 1000003 + static_cast<uint64_t>(node.number));
  for (const char c : node.text) h = mixed(h ^ static_cast<unsigned char>(c));
  for (const auto child : node.children) h = mixed(h ^ fingerprint(tree, child));
  return h;
}

uint64_t hashed(uint64_t h, const Rational& value) {
  constexpr ulong prime = 0xffffffffffffffc5ull;
  return mixed(mixed(h ^ fmpz_fdiv_ui(value.num(), prime)) ^ fmpz_fdiv_ui(value.den(), prime));
}

bool is_huge(const Rational& exponent) {
  return static_cast<int64_t>(fmpz_bits(exponent.num())) - static_cast<int64_t>(fmpz_bits(exponent.den())) > longest_exponent;
}

bool needs_whole_arguments(const std::string& name) { return name == "gcd" || name == "lcm" || name == "mod"; }

}  // namespace

std::string real_part_of(const std::string& name) { return "re " + name; }
std::string imaginary_part_of(const std::string& name) { return "im " + name; }

Value BallEvaluator::evaluate(Index at, ComplexBall& out) {
  spend(1);
  return checked(node_value(tree_[at], at, out), out);
}

// In the reals an imaginary part that is surely there means undefined, one that may be there means a ball on a cut.
Value BallEvaluator::checked(Value value, ComplexBall& out) const {
  if (value != Value::ok) return value;
  if (!acb_is_finite(out)) return Value::imprecise;
  if (complex_ || arb_is_zero(out.imag())) return Value::ok;
  return arb_contains_zero(out.imag()) ? Value::imprecise : Value::undefined;
}

Value BallEvaluator::node_value(const Node& node, Index at, ComplexBall& out) {
  switch (node.kind) {
    case Kind::integer: case Kind::decimal: case Kind::based: return exact(at, out);
    case Kind::symbol: case Kind::choice: return symbol(variable_name(node), out);
    case Kind::pi: return spend(4), acb_const_pi(out, bits_), Value::ok;
    case Kind::euler: return spend(4), arb_const_e(out.real(), bits_), arb_zero(out.imag()), Value::ok;
    case Kind::imaginary: return acb_onei(out), complex_ ? Value::ok : Value::undefined;
    case Kind::sum: case Kind::product: return fold(node, out);
    case Kind::finite_sum: case Kind::finite_product: return expand(node, out);
    case Kind::quotient: return quotient(node, out);
    case Kind::power: return power(node, out);
    case Kind::root: return root(node, out);
    case Kind::factorial: return factorial(node, out);
    case Kind::function: return function(node, at, out);
    case Kind::call: return call(at, out);
    case Kind::negation: case Kind::percent: case Kind::degrees: case Kind::quantity: break;
    default: return Value::undefined;
  }
  if (const auto value = evaluate(node.children[0], out); value != Value::ok) return value;
  if (node.kind == Kind::negation) acb_neg(out, out);
  if (node.kind == Kind::percent) acb_div_ui(out, out, 100, bits_);
  ComplexBall factor;
  if (node.kind == Kind::degrees) acb_const_pi(factor, bits_), acb_mul(out, out, factor, bits_), acb_div_ui(out, out, 180, bits_);
  if (node.kind == Kind::quantity) {
    if (const auto value = symbol(variable_name(node), factor); value != Value::ok) return value;
    acb_mul(out, out, factor, bits_);
  }
  return Value::ok;
}

Value BallEvaluator::exact(Index at, ComplexBall& out) {
  const auto value = exact_value(tree_, at, work_, bindings_);
  if (!value.ok()) return Value::undefined;
  acb_set_fmpq(out, value.value, bits_);
  return Value::ok;
}

Value BallEvaluator::symbol(const std::string& name, ComplexBall& out) const {
  const auto *value = find(bindings_, name), *real = value ? value : find(bindings_, real_part_of(name));
  if (!real) return Value::undefined;
  acb_set_fmpq(out, *real, bits_);
  if (!value) arb_set_fmpq(out.imag(), *find(bindings_, imaginary_part_of(name)), bits_);
  return Value::ok;
}

Value BallEvaluator::fold(const Node& node, ComplexBall& out) {
  if (const auto value = evaluate(node.children[0], out); value != Value::ok) return value;
  ComplexBall next;
  for (size_t i = 1; i < node.children.size(); ++i) {
    if (const auto value = evaluate(node.children[i], next); value != Value::ok) return value;
    if (node.kind == Kind::sum) acb_add(out, out, next, bits_);
    else acb_mul(out, out, next, bits_);
  }
  return Value::ok;
}

Value BallEvaluator::expand(const Node& node, ComplexBall& out) {
  int64_t first = 0, last = 0;
  if (!whole_bounds(tree_, node, work_, bindings_, first, last)) return Value::undefined;
  const bool sum = node.kind == Kind::finite_sum;
  if (sum) acb_zero(out);
  else acb_one(out);
  ComplexBall next;
  bindings_.push_back({tree_[node.children[0]].text, Rational()});
  Value value = Value::ok;
  for (int64_t i = first; i <= last && value == Value::ok; ++i) {
    bindings_.back().value = Rational(i);
    value = evaluate(node.children[3], next);
    if (sum) acb_add(out, out, next, bits_);
    else acb_mul(out, out, next, bits_);
  }
  bindings_.pop_back();
  return value;
}

Value BallEvaluator::quotient(const Node& node, ComplexBall& out) {
  ComplexBall divisor;
  const auto above = evaluate(node.children[0], out), below = evaluate(node.children[1], divisor);
  if (above == Value::undefined || below == Value::undefined) return Value::undefined;
  if (above != Value::ok || below != Value::ok) return Value::imprecise;
  if (acb_is_zero(divisor)) return Value::undefined;
  if (acb_contains_zero(divisor)) return Value::imprecise;
  acb_div(out, out, divisor, bits_);
  return Value::ok;
}

Value BallEvaluator::power(const Node& node, ComplexBall& out) {
  ComplexBall base, exponent;
  if (const auto value = evaluate(node.children[0], base); value != Value::ok) return value;
  const auto known = exact_value(tree_, node.children[1], work_, bindings_);
  if (known.state == Exact::State::undefined) return Value::undefined;
  // 1 - 2^(-2^2001) and 1 are one ball at any precision, but not one number.
  if (known.ok() && is_huge(known.value)) return Value::undefined;
  if (known.ok()) return rational_power(base, known.value, out);
  if (const auto value = evaluate(node.children[1], exponent); value != Value::ok) return value;
  return general_power(base, exponent, out);
}

Value BallEvaluator::general_power(const ComplexBall& base, const ComplexBall& exponent, ComplexBall& out) {
  spend(2 * elementary_cost);
  if (acb_is_zero(base)) {
    acb_zero(out);
    if (!acb_is_real(exponent)) return Value::undefined;
    if (arb_is_positive(exponent.real())) return Value::ok;
    return arb_is_nonpositive(exponent.real()) ? Value::undefined : Value::imprecise;
  }
  if (acb_contains_zero(base)) return Value::imprecise;
  if (!complex_ && arb_is_negative(base.real())) return Value::undefined;
  acb_pow(out, base, exponent, bits_);
  return Value::ok;
}

Value BallEvaluator::rational_power(const ComplexBall& base, const Rational& exponent, ComplexBall& out) {
  ComplexBall part = base;
  if (fmpz_bits(exponent.num()) >= 62 || fmpz_bits(exponent.den()) > 30) {
    const bool flip = exponent.is_integer() && acb_is_real(base) && arb_is_negative(base.real());
    if (flip) acb_neg(part, base);
    ComplexBall wide;
    acb_set_fmpq(wide, exponent, bits_);
    const auto value = general_power(part, wide, out);
    if (flip && fmpz_is_odd(exponent.num())) acb_neg(out, out);
    return value;
  }
  if (acb_is_zero(base)) {
    acb_zero(out);
    return exponent.sign() > 0 ? Value::ok : Value::undefined;
  }
  if (exponent.sign() < 0 && acb_contains_zero(base)) return Value::imprecise;
  spend(static_cast<int64_t>(2 * fmpz_bits(exponent.num())));
  if (!exponent.is_integer()) {
    if (const auto value = root_of(base, fmpz_get_si(exponent.den()), part); value != Value::ok) return value;
  }
  acb_pow_fmpz(out, part, exponent.num(), bits_);
  return Value::ok;
}

Value BallEvaluator::root(const Node& node, ComplexBall& out) {
  ComplexBall radicand;
  if (const auto value = evaluate(node.children[0], radicand); value != Value::ok) return value;
  const auto index = exact_value(tree_, node.children[1], work_, bindings_);
  if (index.ok()) {
    if (index.value.is_zero()) return Value::undefined;
    Rational inverse;
    fmpq_inv(inverse, index.value);
    return rational_power(radicand, inverse, out);
  }
  ComplexBall exponent;
  if (const auto value = evaluate(node.children[1], exponent); value != Value::ok) return value;
  if (acb_contains_zero(exponent) || !acb_is_real(radicand) || !arb_is_positive(radicand.real())) return Value::undefined;
  spend(2 * elementary_cost);
  acb_inv(exponent, exponent, bits_);
  acb_pow(out, radicand, exponent, bits_);
  return Value::ok;
}

Value BallEvaluator::root_of(const ComplexBall& radicand, int64_t degree, ComplexBall& out) {
  spend(elementary_cost);
  const auto n = static_cast<ulong>(degree);
  if (acb_is_real(radicand)) {
    RealBall result;
    if (arb_is_positive(radicand.real()) || arb_is_zero(radicand.real())) {
      arb_root_ui(result, radicand.real(), n, bits_);
    } else if (arb_is_negative(radicand.real()) && degree % 2 == 1) {
      arb_neg(result, radicand.real());
      arb_root_ui(result, result, n, bits_);
      arb_neg(result, result);
    } else if (arb_is_negative(radicand.real())) {
      if (!complex_) return Value::undefined;
      acb_root_ui(out, radicand, n, bits_);
      return Value::ok;
    } else {
      if (degree != 2 || complex_) return Value::imprecise;
      arb_sqrtpos(result, radicand.real(), bits_);  // the part that is real
    }
    acb_set_arb(out, result);
    return Value::ok;
  }
  acb_root_ui(out, radicand, n, bits_);
  return Value::ok;
}

Value BallEvaluator::factorial(const Node& node, ComplexBall& out) {
  if (const auto value = evaluate(node.children[0], out); value != Value::ok) return value;
  spend(gamma_cost);
  acb_add_ui(out, out, 1, bits_);
  if (acb_is_int(out) && !arb_is_positive(out.real())) return Value::undefined;
  acb_gamma(out, out, bits_);
  return Value::ok;
}

Value BallEvaluator::function(const Node& node, Index at, ComplexBall& out) {
  if (needs_whole_arguments(node.text)) return exact(at, out);
  if (node.text == "binomial") return binomial(node, out);
  if (node.text == "log") return logarithm(node, out);
  if (node.text == "max" || node.text == "min") return greatest(node, out);
  ComplexBall argument;
  if (const auto value = evaluate(node.children[0], argument); value != Value::ok) return value;
  spend(elementary_cost);
  return apply_function(node.text, argument, complex_, bits_, out);
}

// gamma(n + 1) / (gamma(k + 1) gamma(n - k + 1)); a falling product for a small whole k.
Value BallEvaluator::binomial(const Node& node, ComplexBall& out) {
  ComplexBall n, k, rest;
  if (const auto value = evaluate(node.children[0], n); value != Value::ok) return value;
  if (const auto value = evaluate(node.children[1], k); value != Value::ok) return value;
  if (acb_is_int(k) && arb_is_nonnegative(k.real()) && arf_cmp_si(arb_midref(k.real()), 100) <= 0) {
    const auto count = arf_get_si(arb_midref(k.real()), ARF_RND_NEAR);
    acb_one(out);
    for (slong i = 0; i < count; ++i) {
      spend(2);
      acb_sub_ui(rest, n, static_cast<ulong>(i), bits_);
      acb_mul(out, out, rest, bits_);
      acb_div_ui(out, out, static_cast<ulong>(i + 1), bits_);
    }
    return Value::ok;
  }
  spend(3 * gamma_cost);
  acb_sub(rest, n, k, bits_);
  for (auto* u : {&n, &k, &rest}) {
    acb_add_ui(*u, *u, 1, bits_);
    acb_gamma(*u, *u, bits_);
  }
  acb_mul(rest, rest, k, bits_);
  if (acb_contains_zero(rest)) return Value::imprecise;
  acb_div(out, n, rest, bits_);
  return Value::ok;
}

Value BallEvaluator::logarithm(const Node& node, ComplexBall& out) {
  ComplexBall argument, base;
  if (const auto value = evaluate(node.children[0], argument); value != Value::ok) return value;
  acb_set_ui(base, 10);
  if (node.children.size() == 2)
    if (const auto value = evaluate(node.children[1], base); value != Value::ok) return value;
  spend(2 * elementary_cost);
  if (!arb_is_positive(base.real()) || acb_is_one(base)) return Value::undefined;
  if (const auto value = apply_function("ln", argument, complex_, bits_, out); value != Value::ok) return value;
  acb_log(base, base, bits_);
  if (acb_contains_zero(base)) return Value::imprecise;
  acb_div(out, out, base, bits_);
  return Value::ok;
}

Value BallEvaluator::greatest(const Node& node, ComplexBall& out) {
  if (const auto value = evaluate(node.children[0], out); value != Value::ok) return value;
  ComplexBall next;
  for (size_t i = 1; i < node.children.size(); ++i) {
    if (const auto value = evaluate(node.children[i], next); value != Value::ok) return value;
    if (!acb_is_real(out) || !acb_is_real(next)) return Value::undefined;
    if (node.text == "max") arb_max(out.real(), out.real(), next.real(), bits_);
    else arb_min(out.real(), out.real(), next.real(), bits_);
  }
  return Value::ok;
}

// An unknown function: some value that depends on its name and its arguments, or where they are not rational on how they are
// written and on the symbols in them; another at each point. No formula of the symbols, or f(x) - x would be one constant.
Value BallEvaluator::call(Index at, ComplexBall& out) {
  const auto* function = find(bindings_, any_function);
  uint64_t h = function ? hashed(0, *function) : 0;
  for (const char c : tree_[at].text) h = mixed(h ^ static_cast<unsigned char>(c));
  for (const auto child : tree_[at].children) {
    spend(5);
    if (const auto argument = exact_value(tree_, child, work_, bindings_); argument.ok()) {
      h = hashed(h, argument.value);
      continue;
    }
    h = mixed(h ^ fingerprint(tree_, child));
    for (const auto& name : free_symbols(tree_, child))
      for (const auto& part : {name, real_part_of(name), imaginary_part_of(name)})
        if (const auto* value = find(bindings_, part)) h = hashed(h, *value);
  }
  const auto top = static_cast<int64_t>(h % 100000) + 1;
  Rational value;
  fmpq_set_si(value, h >> 63 ? -top : top, 9973);
  acb_set_fmpq(out, value, bits_);
  return Value::ok;
}

Value BallEvaluator::atom_value(const Atom& atom, ComplexBall& out) {
  switch (atom.type) {
    case Atom::Type::pi: return acb_const_pi(out, bits_), Value::ok;
    case Atom::Type::euler: return acb_zero(out), arb_const_e(out.real(), bits_), Value::ok;
    case Atom::Type::imaginary: return acb_onei(out), complex_ ? Value::ok : Value::undefined;
    case Atom::Type::prime_root:
      acb_set_fmpz(out, atom.prime);
      return acb_root_ui(out, out, static_cast<ulong>(atom.degree), bits_), Value::ok;
    case Atom::Type::symbol: return symbol(atom.label, out);
    case Atom::Type::root:
    case Atom::Type::node: break;
  }
  const auto outer = bindings_.size();
  for (const auto& binding : atom.bindings) bindings_.push_back(binding);
  auto value = evaluate(atom.at, out);
  if (value == Value::ok && atom.type == Atom::Type::root) {
    const ComplexBall radicand = out;
    value = checked(root_of(radicand, atom.degree, out), out);
  }
  bindings_.resize(outer);
  return value;
}

Value BallEvaluator::evaluate(const Normalizer& normalizer, const Poly& poly, ComplexBall& out) {
  const auto& ring = poly.ring();
  const auto& atoms = normalizer.atoms();
  std::vector<int> used(static_cast<size_t>(ring.variables()));
  fmpq_mpoly_used_vars(used.data(), poly, ring);
  std::vector<ComplexBall> values(atoms.size());
  for (size_t i = 0; i < atoms.size(); ++i) {
    if (!used[i]) continue;
    if (const auto value = atom_value(atoms[i], values[i]); value != Value::ok) return value;
  }
  acb_zero(out);
  ComplexBall term, factor;
  Rational coefficient;
  std::vector<ulong> exponents(used.size());
  for (int64_t t = 0; t < poly.terms(); ++t) {
    fmpq_mpoly_get_term_coeff_fmpq(coefficient, poly, t, ring);
    fmpq_mpoly_get_term_exp_ui(exponents.data(), poly, t, ring);
    acb_set_fmpq(term, coefficient, bits_);
    for (size_t i = 0; i < atoms.size(); ++i) {
      if (exponents[i] == 0) continue;
      spend(4);
      acb_pow_ui(factor, values[i], exponents[i], bits_);
      acb_mul(term, term, factor, bits_);
    }
    acb_add(out, out, term, bits_);
  }
  return checked(Value::ok, out);
}

}  // namespace reward::math
