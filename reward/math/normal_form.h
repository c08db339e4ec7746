// A formula as a quotient of polynomials over Q in atoms. Formulas whose normal forms agree are equal.
//
// Atoms are symbols, pi, e, i, roots, and whatever else cannot be taken apart: sin(u), u^v, f(u) with u normalised, so that
// sin(x+x) and sin(2x) are one atom. i^2 = -1 and r^n = radicand are used; roots of rationals are split into roots of
// primes, so sqrt(12) = 2 sqrt(3) and sqrt(2) sqrt(3) = sqrt(6). An odd root of a negative rational is the negative one.
// Nothing is known of how atoms depend on each other (sin^2 + cos^2, ln 8 and ln 2): a difference that is a non-zero
// number proves formulas different, any other non-zero difference proves nothing, see ball.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reward/math/exact.h"
#include "reward/math/number_types.h"
#include "reward/math/tree.h"
#include "reward/math/work.h"

namespace reward::math {

struct Fraction {
  Poly num, den;  // den is not zero
  bool is_constant() const { return num.is_constant() && den.is_constant(); }
};

struct Atom {
  enum class Type { symbol, pi, euler, imaginary, prime_root, root, node };
  Type type = Type::symbol;
  std::string label;                // symbol: its name; node: kind or function name
  int64_t degree = 0;               // this power of the atom is the radicand; 0: transcendental as far as we know
  Index at = -1;                    // root: its radicand; node: the first node that gave it
  Integer prime;                    // prime_root: the radicand (or a cofactor without small divisors)
  std::vector<Fraction> arguments;  // root: the radicand; node: the arguments
  Bindings bindings;                // of the sums around `at`
};

// Normal forms with common atoms. `tree` and `work` outlive it; no nodes are added while it works.
class Normalizer {
 public:
  Normalizer(const Tree& tree, Work& work);

  // Nothing if the formula is undefined (see undefined()), too large, has too many atoms, or is no formula. Throws LimitReached.
  std::optional<Fraction> normalize(Index at);
  std::optional<Fraction> subtract(const Fraction& a, const Fraction& b);
  bool undefined() const { return undefined_; }

  // Degree of the polynomial `f` in the symbol, or -1: a denominator or another atom holds the symbol.
  int64_t degree_in(const Fraction& f, const std::string& symbol) const;
  const std::vector<Atom>& atoms() const { return atoms_; }

 private:
  friend class FormulaReader;
  PolyRing ring_;
  std::vector<Atom> atoms_;
  const Tree& tree_;
  Work& work_;
  bool undefined_ = false;
};

// The constant c with a = c b, if there is one. Neither is zero.
std::optional<Rational> proportion(const Poly& a, const Poly& b);
std::optional<Rational> constant_value(const Fraction& f);

}  // namespace reward::math
