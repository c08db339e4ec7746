#include "reward/math/normal_form.h"

#include <algorithm>

#include "reward/math/fraction_field.h"
#include "reward/math/tree_tools.h"

namespace reward::math {
namespace {

constexpr int64_t most_atoms = 16;
constexpr int64_t most_root_degree = 64;
constexpr int64_t most_radicand_bits = 2048;  // beyond it a root of a rational stays one atom
constexpr int64_t most_falling = 20;          // binomial(n, k) is multiplied out up to this k

}  // namespace

// One walk over a tree with the bindings of the sums around.
class FormulaReader {
 public:
  explicit FormulaReader(Normalizer& owner)
      : tree_(owner.tree_), work_(owner.work_), atoms_(owner.atoms_), field_(owner.ring_, owner.atoms_, owner.work_) {}

  Fraction read(Index at) {
    work_.spend(5);
    const auto& node = tree_[at];
    switch (node.kind) {
      case Kind::integer: case Kind::decimal: case Kind::based: return exact(at);
      case Kind::symbol: case Kind::choice: return symbol(node);
      case Kind::pi: return leaf(Atom::Type::pi);
      case Kind::euler: return leaf(Atom::Type::euler);
      case Kind::imaginary: return leaf(Atom::Type::imaginary);
      case Kind::sum: case Kind::product: return fold(node);
      case Kind::finite_sum: case Kind::finite_product: return expand(at, node);
      case Kind::quotient: return field_.divide(read(node.children[0]), read(node.children[1]));
      case Kind::negation: return field_.negate(read(node.children[0]));
      case Kind::percent: return field_.divide(read(node.children[0]), field_.constant(Rational(100)));
      case Kind::degrees: return degrees(node);
      case Kind::quantity: return field_.multiply(read(node.children[0]), named(variable_name(node)));
      case Kind::power: return power(at, node.children[0], read(node.children[0]), node.children[1]);
      case Kind::root: return root(at, node);
      case Kind::factorial: return opaque(at, "!");
      case Kind::function: return function(at, node);
      case Kind::call: return opaque(at, "call " + node.text);
      default: throw TooLarge{};
    }
  }

  FractionField& field() { return field_; }

 private:
  Fraction exact(Index at) {
    const auto value = exact_value(tree_, at, work_, bindings_);
    if (value.state == Exact::State::undefined) throw Undefined{};
    if (!value.ok()) throw TooLarge{};
    return field_.constant(value.value);
  }

  int64_t new_atom(Atom atom) {
    if (static_cast<int64_t>(atoms_.size()) >= most_atoms) throw TooLarge{};
    atoms_.push_back(std::move(atom));
    return static_cast<int64_t>(atoms_.size()) - 1;
  }

  template <class Same>
  int64_t find_atom(Same same) {
    work_.spend(static_cast<int64_t>(atoms_.size()));
    const auto it = std::find_if(atoms_.begin(), atoms_.end(), same);
    return it == atoms_.end() ? -1 : it - atoms_.begin();
  }

  Fraction symbol(const Node& node) {
    if (const auto* value = find(bindings_, node.text)) return field_.constant(*value);
    return named(variable_name(node));
  }

  Fraction named(const std::string& name) {
    auto index = find_atom([&](const Atom& a) { return a.type == Atom::Type::symbol && a.label == name; });
    if (index < 0) {
      Atom atom;
      atom.label = name;
      index = new_atom(std::move(atom));
    }
    return field_.generator(index);
  }

  Fraction leaf(Atom::Type type) {
    auto index = find_atom([&](const Atom& a) { return a.type == type; });
    if (index < 0) {
      Atom atom;
      atom.type = type;
      if (type == Atom::Type::imaginary) atom.degree = 2, atom.arguments.push_back(field_.constant(Rational(-1)));
      index = new_atom(std::move(atom));
    }
    return field_.generator(index);
  }

  Fraction fold(const Node& node) {
    auto result = read(node.children[0]);
    for (size_t i = 1; i < node.children.size(); ++i) {
      const auto next = read(node.children[i]);
      result = node.kind == Kind::sum ? field_.add(result, next) : field_.multiply(result, next);
    }
    return result;
  }

  Fraction expand(Index at, const Node& node) {
    int64_t first = 0, last = 0;
    if (!whole_bounds(tree_, node, work_, bindings_, first, last)) return written(at);
    const bool sum = node.kind == Kind::finite_sum;
    auto result = field_.constant(Rational(sum ? 0 : 1));
    bindings_.push_back({tree_[node.children[0]].text, Rational()});
    for (int64_t i = first; i <= last; ++i) {
      bindings_.back().value = Rational(i);
      const auto next = read(node.children[3]);
      result = sum ? field_.add(result, next) : field_.multiply(result, next);
    }
    bindings_.pop_back();
    return result;
  }

  Fraction degrees(const Node& node) {
    return field_.divide(field_.multiply(read(node.children[0]), leaf(Atom::Type::pi)), field_.constant(Rational(180)));
  }

  // What cannot be taken apart at all: equal only as written.
  Fraction written(Index at) {
    if (!bindings_.empty()) throw TooLarge{};
    auto index = find_atom([&](const Atom& a) {
      return a.type == Atom::Type::node && a.arguments.empty() && same(tree_, a.at, at);
    });
    if (index < 0) index = new_atom(node_atom(at, "written", {}));
    return field_.generator(index);
  }

  Atom node_atom(Index at, std::string label, std::vector<Fraction> arguments) const {
    Atom atom;
    atom.type = Atom::Type::node, atom.label = std::move(label), atom.at = at;
    atom.arguments = std::move(arguments), atom.bindings = bindings_;
    return atom;
  }

  Fraction applied(Index at, const std::string& label, std::vector<Fraction> arguments) {
    auto index = find_atom([&](const Atom& a) {
      if (a.type != Atom::Type::node || a.label != label || a.arguments.size() != arguments.size()) return false;
      for (size_t i = 0; i < arguments.size(); ++i)
        if (!field_.equal(a.arguments[i], arguments[i])) return false;
      return true;
    });
    if (index < 0) index = new_atom(node_atom(at, label, std::move(arguments)));
    return field_.generator(index);
  }

  // A function of its normalised arguments; its value where that is rational.
  Fraction opaque(Index at, const std::string& label) {
    const auto value = exact_value(tree_, at, work_, bindings_);
    if (value.state == Exact::State::undefined) throw Undefined{};
    if (value.ok()) return field_.constant(value.value);
    const auto children = tree_[at].children;
    if (children.empty()) return written(at);
    std::vector<Fraction> arguments;
    for (const auto child : children) arguments.push_back(read(child));
    if ((label == "ln" || label == "log") && arguments[0].num.is_zero()) throw Undefined{};
    return applied(at, label, std::move(arguments));
  }

  Fraction function(Index at, const Node& node) {
    if (node.text == "exp") return power(at, -1, leaf(Atom::Type::euler), node.children[0]);
    if (node.text == "binomial") {
      const auto k = exact_value(tree_, node.children[1], work_, bindings_);
      if (k.ok() && k.value.is_integer() && k.value.sign() >= 0 && fmpz_cmp_si(k.value.num(), most_falling) <= 0)
        return binomial(read(node.children[0]), fmpz_get_si(k.value.num()));
    }
    return opaque(at, node.text);
  }

  // n (n - 1) ... (n - k + 1) / k!
  Fraction binomial(const Fraction& n, int64_t k) {
    auto result = field_.constant(Rational(1));
    for (int64_t i = 0; i < k; ++i) {
      const auto factor = field_.add(n, field_.constant(Rational(-i)));
      result = field_.divide(field_.multiply(result, factor), field_.constant(Rational(i + 1)));
    }
    return result;
  }

  Fraction power(Index at, Index base_at, const Fraction& base, Index exponent_at) {
    const auto exponent = exact_value(tree_, exponent_at, work_, bindings_);
    if (exponent.state == Exact::State::undefined) throw Undefined{};
    if (exponent.ok() && fmpz_bits(exponent.value.num()) < 40 && fmpz_bits(exponent.value.den()) < 20) {
      const int64_t top = fmpz_get_si(exponent.value.num()), degree = fmpz_get_si(exponent.value.den());
      const bool euler_root = base_at < 0 && degree != 1;  // exp(1/2) stays as it is
      if (!euler_root && degree <= most_root_degree) {
        const auto part = degree == 1 ? base : root_of(base_at, base, degree);
        if (part.num.is_zero() && top <= 0) throw Undefined{};
        if (field_.can_power(part, top)) return field_.power(part, top);
      }
    }
    std::vector<Fraction> arguments{base, read(exponent_at)};
    return applied(at, "power", std::move(arguments));
  }

  Fraction root(Index at, const Node& node) {
    const auto index = exact_value(tree_, node.children[1], work_, bindings_);
    if (index.state == Exact::State::undefined || (index.ok() && index.value.is_zero())) throw Undefined{};
    const bool whole = index.ok() && index.value.is_integer() && index.value.sign() > 0;
    if (!whole || fmpz_cmp_si(index.value.num(), most_root_degree) > 0) return opaque(at, "root");
    const auto radicand = read(node.children[0]);
    const int64_t degree = fmpz_get_si(index.value.num());
    return degree == 1 ? radicand : root_of(node.children[0], radicand, degree);
  }

  Fraction root_of(Index radicand_at, const Fraction& radicand, int64_t degree) {
    if (radicand.num.is_zero()) return radicand;
    if (const auto value = constant_value(radicand)) {
      work_.spend_bits(value->bits() * degree);
      if (value->bits() * degree <= most_radicand_bits && (value->sign() > 0 || degree % 2 == 1 || degree == 2))
        return rational_root(*value, degree);
    }
    auto index = find_atom([&](const Atom& a) {
      return a.type == Atom::Type::root && a.degree == degree && field_.equal(a.arguments[0], radicand);
    });
    if (index < 0) {
      Atom atom;
      atom.type = Atom::Type::root, atom.degree = degree, atom.at = radicand_at;
      atom.arguments.push_back(radicand), atom.bindings = bindings_;
      index = new_atom(std::move(atom));
    }
    return field_.generator(index);
  }

  // (p/q)^(1/n) = (p q^(n-1))^(1/n) / q
  Fraction rational_root(const Rational& value, int64_t degree) {
    Rational q;
    fmpz_set(q.num(), value.den());
    Integer whole;
    fmpz_pow_ui(whole, value.den(), static_cast<ulong>(degree - 1));
    fmpz_mul(whole, whole, value.num());
    const bool negative = fmpz_sgn(whole) < 0;
    fmpz_abs(whole, whole);
    auto result = field_.divide(whole_root(whole, degree), field_.constant(q));
    if (!negative) return result;
    return degree == 2 ? field_.multiply(leaf(Atom::Type::imaginary), result) : field_.negate(result);
  }

  Fraction whole_root(Integer n, int64_t degree) {
    auto result = field_.constant(Rational(1));
    Integer divisor;
    for (int64_t p = 2; p < 1000 && !fmpz_is_one(n); p += p == 2 ? 1 : 2) {
      work_.spend(2);
      if (fmpz_bits(n) < 60 && p * p > fmpz_get_si(n)) break;
      if (!fmpz_divisible_si(n, p)) continue;
      fmpz_set_si(divisor, p);
      const auto times = fmpz_remove(n, n, divisor);
      result = field_.multiply(result, prime_root(divisor, times, degree));
    }
    if (fmpz_is_one(n)) return result;
    const auto times = fmpz_is_perfect_power(divisor, n);
    return field_.multiply(result, times > 0 ? prime_root(divisor, times, degree) : prime_root(n, 1, degree));
  }

  // (p^times)^(1/degree) with the whole part taken out and the rest in lowest terms
  Fraction prime_root(const Integer& prime, int64_t times, int64_t degree) {
    Rational p;
    fmpz_set(p.num(), prime);
    const auto whole = field_.power(field_.constant(p), times / degree);
    int64_t rest = times % degree;
    if (rest == 0) return whole;
    const int64_t common = static_cast<int64_t>(n_gcd(static_cast<ulong>(rest), static_cast<ulong>(degree)));
    rest /= common, degree /= common;
    auto index = find_atom([&](const Atom& a) {
      return a.type == Atom::Type::prime_root && a.degree == degree && fmpz_equal(a.prime, prime);
    });
    if (index < 0) {
      Atom atom;
      atom.type = Atom::Type::prime_root, atom.degree = degree, atom.prime = prime;
      atom.arguments.push_back(field_.constant(p));
      index = new_atom(std::move(atom));
    }
    return field_.multiply(whole, field_.power(field_.generator(index), rest));
  }

  const Tree& tree_;
  Work& work_;
  std::vector<Atom>& atoms_;
  FractionField field_;
  Bindings bindings_;
};

Normalizer::Normalizer(const Tree& tree, Work& work) : ring_(most_atoms), tree_(tree), work_(work) { atoms_.reserve(most_atoms); }

std::optional<Fraction> Normalizer::normalize(Index at) {
  try {
    return FormulaReader(*this).read(at);
  } catch (const TooLarge&) {
  } catch (const Undefined&) {
    undefined_ = true;
  }
  return std::nullopt;
}

std::optional<Fraction> Normalizer::subtract(const Fraction& a, const Fraction& b) {
  try {
    FractionField field(ring_, atoms_, work_);
    return field.add(a, field.negate(b));
  } catch (const TooLarge&) {
  } catch (const Undefined&) {
  }
  return std::nullopt;
}

int64_t Normalizer::degree_in(const Fraction& f, const std::string& symbol) const {
  std::vector<int> top(static_cast<size_t>(ring_.variables())), bottom(top.size());
  fmpq_mpoly_used_vars(top.data(), f.num, ring_);
  fmpq_mpoly_used_vars(bottom.data(), f.den, ring_);
  int64_t degree = 0;
  for (size_t i = 0; i < atoms_.size(); ++i) {
    if (!top[i] && !bottom[i]) continue;
    const auto& atom = atoms_[i];
    if (atom.type == Atom::Type::symbol && atom.label == symbol) {
      if (bottom[i]) return -1;
      degree = fmpq_mpoly_degree_si(f.num, static_cast<slong>(i), ring_);
    } else if (atom.at >= 0 && !is_free_of(tree_, atom.at, symbol)) {
      return -1;
    }
  }
  return degree;
}

std::optional<Rational> proportion(const Poly& a, const Poly& b) {
  if (a.terms() != b.terms()) return std::nullopt;
  Rational of_a, of_b, ratio;
  fmpq_mpoly_get_term_coeff_fmpq(of_a, a, 0, a.ring());
  fmpq_mpoly_get_term_coeff_fmpq(of_b, b, 0, b.ring());
  fmpq_div(ratio, of_a, of_b);
  Poly scaled(b.ring());
  fmpq_mpoly_scalar_mul_fmpq(scaled, b, ratio, b.ring());
  if (!fmpq_mpoly_equal(a, scaled, a.ring())) return std::nullopt;
  return ratio;
}

std::optional<Rational> constant_value(const Fraction& f) {
  if (!f.is_constant()) return std::nullopt;
  Rational num, den;
  fmpq_mpoly_get_fmpq(num, f.num, f.num.ring());
  fmpq_mpoly_get_fmpq(den, f.den, f.den.ring());
  fmpq_div(num, num, den);
  return num;
}

}  // namespace reward::math
