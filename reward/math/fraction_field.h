// Arithmetic on quotients of polynomials with bounded size; algebraic atoms are kept below their degree.
#pragma once

#include <vector>

#include "reward/math/normal_form.h"

namespace reward::math {

struct TooLarge {};   // thrown and caught inside the normal form: terms, degrees or coefficients beyond the caps
struct Undefined {};  // a division by zero

class FractionField {
 public:
  FractionField(const PolyRing& ring, const std::vector<Atom>& atoms, Work& work) : ring_(ring), atoms_(atoms), work_(work) {}

  Fraction constant(const Rational& value) const;
  Fraction generator(int64_t atom) const;
  Fraction add(const Fraction& a, const Fraction& b);
  Fraction negate(Fraction a);
  Fraction multiply(const Fraction& a, const Fraction& b);
  Fraction divide(const Fraction& a, const Fraction& b);
  Fraction power(const Fraction& base, int64_t exponent);
  bool can_power(const Fraction& base, int64_t exponent) const;
  bool equal(const Fraction& a, const Fraction& b);

 private:
  Poly times(const Poly& a, const Poly& b);
  Poly power(const Poly& base, int64_t exponent);
  bool reducible(const Poly& p, size_t atom) const;
  Fraction replace_powers(const Poly& p, size_t atom);
  Fraction reduced(const Poly& p);
  Fraction finished(Poly num, Poly den);
  void cancel(Fraction& f);

  const PolyRing& ring_;
  const std::vector<Atom>& atoms_;
  Work& work_;
};

}  // namespace reward::math
