// The value of a formula as a complex ball at a point.
#pragma once

#include <string>
#include <vector>

#include "reward/math/exact.h"
#include "reward/math/normal_form.h"
#include "reward/math/number_types.h"
#include "reward/math/tree.h"
#include "reward/math/work.h"

namespace reward::math {

enum class Value {
  ok,
  undefined,  // for certain, at any precision
  imprecise,  // perhaps defined: a ball meets a pole or a cut
};

// A complex point binds these two names and not the symbol itself.
std::string real_part_of(const std::string& symbol);
std::string imaginary_part_of(const std::string& symbol);

// The symbol that every unknown function depends on, so that f(4) < f(1) is not true or false by one value of each.
inline const std::string any_function = "any function";

// One evaluation at a time; `point` gives every free symbol a value.
class BallEvaluator {
 public:
  BallEvaluator(const Tree& tree, Work& work, const Bindings& point, bool complex, int64_t bits)
      : tree_(tree), work_(work), bindings_(point), complex_(complex), bits_(bits) {}

  Value evaluate(Index at, ComplexBall& out);
  // A polynomial in the normalizer's atoms.
  Value evaluate(const Normalizer& normalizer, const Poly& poly, ComplexBall& out);

 private:
  Value node_value(const Node& node, Index at, ComplexBall& out);
  Value checked(Value value, ComplexBall& out) const;
  Value exact(Index at, ComplexBall& out);
  Value symbol(const std::string& name, ComplexBall& out) const;
  Value fold(const Node& node, ComplexBall& out);
  Value expand(const Node& node, ComplexBall& out);
  Value quotient(const Node& node, ComplexBall& out);
  Value power(const Node& node, ComplexBall& out);
  Value general_power(const ComplexBall& base, const ComplexBall& exponent, ComplexBall& out);
  Value rational_power(const ComplexBall& base, const Rational& exponent, ComplexBall& out);
  Value root(const Node& node, ComplexBall& out);
  Value root_of(const ComplexBall& radicand, int64_t degree, ComplexBall& out);
  Value factorial(const Node& node, ComplexBall& out);
  Value function(const Node& node, Index at, ComplexBall& out);
  Value binomial(const Node& node, ComplexBall& out);
  Value logarithm(const Node& node, ComplexBall& out);
  Value greatest(const Node& node, ComplexBall& out);
  Value call(Index at, ComplexBall& out);
  Value atom_value(const Atom& atom, ComplexBall& out);
  void spend(int64_t multiplications) { work_.spend(multiplications * (4 + bits_ / 32 * (1 + bits_ / 1024))); }

  const Tree& tree_;
  Work& work_;
  Bindings bindings_;
  bool complex_;
  int64_t bits_;
};

// f(u) at u as a ball, for the functions of one argument in tree.h. Real arguments give real values or undefined unless
// `complex`.
Value apply_function(const std::string& name, const ComplexBall& u, bool complex, int64_t bits, ComplexBall& out);

}  // namespace reward::math
