// Exact rational numbers of bounded length. No rounding, no overflow, no locale.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reward {

// A whole number >= 0: limbs in base 10^9, lowest first, no leading zero limb; zero has none.
class Natural {
 public:
  Natural() = default;
  // `digits`: ASCII digits only, any number of them, leading zeros allowed; empty is 0.
  static Natural from_digits(std::string_view digits);

  bool is_zero() const { return limbs_.empty(); }
  std::string to_string() const;

  friend Natural operator+(const Natural& a, const Natural& b);
  friend Natural operator-(const Natural& a, const Natural& b);  // a >= b
  friend Natural operator*(const Natural& a, const Natural& b);  // work: limbs of a times limbs of b
  friend int compare(const Natural& a, const Natural& b);        // -1, 0, 1
  friend bool operator==(const Natural& a, const Natural& b) { return a.limbs_ == b.limbs_; }

 private:
  void drop_leading_zeros();
  std::vector<uint32_t> limbs_;
};

// A fraction, not reduced: a caller bounds the digits that go in, and so the length of what comes out.
struct Rational {
  bool negative = false;
  Natural numerator, denominator = Natural::from_digits("1");  // denominator > 0

  Rational negated() const;
  friend Rational operator+(const Rational& a, const Rational& b);
  friend Rational operator-(const Rational& a, const Rational& b) { return a + b.negated(); }
  friend Rational operator*(const Rational& a, const Rational& b);
  friend bool operator==(const Rational& a, const Rational& b);  // as values: 2/4 == 1/2, -0 == 0
};
std::optional<Rational> divide(const Rational& a, const Rational& b);  // none if b is 0

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace reward
