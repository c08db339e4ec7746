// When a decimal literal stands for a number that it does not equal.
#pragma once

#include <cstdint>
#include <optional>

#include "reward/math/number_types.h"
#include "reward/math/tree.h"
#include "reward/math/work.h"

namespace reward::math {

struct DecimalLiteral {
  Rational value;
  int64_t digits = 0;  // significant ones: 0.0120 has 3
  int64_t place = 0;   // the power of ten of the last digit
};

// A decimal, also with a sign or a percent sign; nothing for whole literals and formulas.
std::optional<DecimalLiteral> literal_of(const Tree& tree, Index at, Work& work);

// The one with fewer places stands for the other as agrees_in_digits says.
bool literals_agree(const DecimalLiteral& a, const DecimalLiteral& b, int64_t digits);

// The literal has at least `digits` significant digits, rounding both to that many gives the same, and the literal is the
// value rounded or cut to the literal's own digits: 0.666667 and 0.66666666 stand for 2/3, 0.666666 and 0.66666668 do not.
// Never for digits = 0.
bool agrees_in_digits(const DecimalLiteral& literal, const Rational& value, int64_t digits);

// At most half a unit of the literal's last place away.
bool rounds_to(const Rational& value, const DecimalLiteral& literal);

}  // namespace reward::math
