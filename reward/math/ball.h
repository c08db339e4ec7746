// Numeric comparison that cannot be fooled by rounding: balls (midpoint and radius) hold the exact value for certain.
//
// Formulas are evaluated at fixed pseudo-random rational points, first positive ones, then of mixed sign; a constant at one
// point. Precision doubles from 128 to 4096 bits. Balls without a common point mean different. Balls that meet within
// 2^-200 of the larger value (2^-1000 if both may be zero) at all good points mean equal. A point where a side is
// undefined is no good point; fewer than 4 good ones mean undecided. The normal form of the difference, where there is
// one, is evaluated as well, so that x + 10^-400 is not x.
//
// Without i the reals are meant: a root of a negative number is undefined except for odd roots, and sqrt(1/n) equals
// 1/sqrt(n) because both are defined, and equal, just for n > 0. Where only one side is defined, that decides nothing,
// except that |u| is written to have negative u: ln|x| is not ln x. With i, or for a constant that is not real, values are
// principal ones in the complex plane (odd roots of negative numbers stay real). Symbols that must be whole (bounds of
// sums, arguments of gcd, exponents of negative numbers) make all points whole and positive.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reward/math/exact.h"
#include "reward/math/normal_form.h"
#include "reward/math/number_types.h"
#include "reward/math/tree.h"
#include "reward/math/work.h"

namespace reward::math {

enum class Ball { equal, different, undecided };

// `normalizer` and `difference` (the normal form of a - b) may be null. Throws LimitReached.
Ball compare_by_balls(const Tree& tree, Index a, Index b, Work& work, const Normalizer* normalizer = nullptr,
                      const Fraction* difference = nullptr);

// The sign of a real constant: -1 or 1, or nothing where the balls cannot tell it from 0 or it is not real.
std::optional<int> sign_of(const Tree& tree, Index at, Work& work, const Bindings& bindings = {});

// True if a constant has a value: no division by zero, no logarithm of zero.
bool is_defined(const Tree& tree, Index at, Work& work);

// A real constant to about 250 bits: for rounding and for points between others, not for comparing.
std::optional<Rational> approximation(const Tree& tree, Index at, Work& work);

// Whether |a - b| <= tolerance * |b| for real constants.
bool within(const Tree& tree, Index a, Index b, double tolerance, Work& work);

// a / b over all points: one non-zero constant of this sign (0: not real), or no constant.
enum class Ratio { positive, negative, complex, varies, unknown };
Ratio ratio_by_balls(const Tree& tree, Index a, Index b, Work& work);

}  // namespace reward::math
