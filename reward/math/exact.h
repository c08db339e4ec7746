// The exact rational value of a formula, where it has one that is small enough to write down.
//
// Integers, decimals, based numbers, + - * /, integer powers, perfect roots, factorials, percent, absolute value, floor,
// ceiling, sign, gcd, lcm, max, min, mod, binomials, logarithms of perfect powers, sums and products with whole bounds.
// Sizes are estimated before each big operation: 10^(10^9) takes no time and gives too_big.
#pragma once

#include <string>
#include <vector>

#include "reward/math/number_types.h"
#include "reward/math/tree.h"
#include "reward/math/work.h"

namespace reward::math {

// Values of names: indices of sums while they are expanded, and points. The last one of a name counts.
struct Binding {
  std::string name;
  Rational value;
};
using Bindings = std::vector<Binding>;
const Rational* find(const Bindings& bindings, const std::string& name);

struct Exact {
  enum class State {
    value,
    none,       // irrational, has free symbols, or is no number
    undefined,  // division by zero, 0^0, the factorial of -1, a based numeral with a digit beyond its base
    too_big,    // more bits than Limits::result_bits
  };
  State state = State::none;
  Rational value;
  bool ok() const { return state == State::value; }
};

// Throws LimitReached.
Exact exact_value(const Tree& tree, Index at, Work& work, const Bindings& bindings = {});

// base^exponent in the reals; an odd root of a negative number is the negative one: (-8)^(1/3) = -2.
Exact exact_power(const Rational& base, const Rational& exponent, Work& work);

// The bounds of a finite sum or product: whole, and at most this many terms; otherwise false and it is not expanded.
constexpr int64_t most_terms = 10000;
bool whole_bounds(const Tree& tree, const Node& sum, Work& work, const Bindings& bindings, int64_t& first, int64_t& last);

}  // namespace reward::math
