#include "reward/math/ball.h"

#include <algorithm>

#include "reward/math/ball_evaluator.h"
#include "reward/math/ball_points.h"
#include "reward/math/tree_tools.h"

namespace reward::math {
namespace {

constexpr int64_t first_bits = 128, last_bits = 4096;
constexpr int64_t most_points = 30, enough_points = 9, least_points = 4;
constexpr int64_t relative_bits = 200;   // closer than 2^-200 of the value: equal at this point
constexpr int64_t constant_bits = 1000;  // for two constants, which meet at one point only
constexpr int64_t absolute_bits = 1000;  // both closer to zero than 2^-1000: equal

enum class AtPoint { equal, different, only_a, only_b, nothing };

struct Sides {
  const Tree& tree;
  Index a, b;
  Work& work;
  const Normalizer* normalizer;
  const Fraction* difference;
  int64_t bits = relative_bits;
};

bool close(const ComplexBall& a, const ComplexBall& b, const ComplexBall& difference, int64_t bits) {
  Magnitude distance, of_a, of_b;
  acb_get_mag(distance, difference);
  acb_get_mag_lower(of_a, a);
  acb_get_mag_lower(of_b, b);
  mag_max(of_a, of_a, of_b);
  mag_mul_2exp_si(of_a, of_a, -bits);
  return mag_cmp(distance, of_a) <= 0 || mag_cmp_2exp_si(distance, -absolute_bits) <= 0;
}

AtPoint compare_at(const Sides& sides, const Bindings& point, bool complex) {
  ComplexBall a, b, difference;
  for (int64_t bits = first_bits; bits <= last_bits; bits *= 2) {
    BallEvaluator evaluator(sides.tree, sides.work, point, complex, bits);
    const auto of_a = evaluator.evaluate(sides.a, a), of_b = evaluator.evaluate(sides.b, b);
    // Constants too large for balls may still differ by what the normal form keeps: 2^(10^9) + sqrt 2 and 2^(10^9) + sqrt 3.
    const bool only_difference = of_a == Value::undefined && of_b == Value::undefined;
    if (only_difference && !(point.empty() && sides.difference)) return AtPoint::nothing;
    if (of_a == Value::undefined && of_b == Value::ok) return AtPoint::only_b;
    if (of_b == Value::undefined && of_a == Value::ok) return AtPoint::only_a;
    if (!only_difference && (of_a != Value::ok || of_b != Value::ok)) continue;
    acb_sub(difference, a, b, bits);
    if (!only_difference && !acb_contains_zero(difference)) return AtPoint::different;
    const bool is_close = !only_difference && close(a, b, difference, sides.bits);
    if (sides.difference && evaluator.evaluate(*sides.normalizer, sides.difference->num, difference) == Value::ok &&
        !acb_contains_zero(difference))
      return AtPoint::different;
    if (is_close) return AtPoint::equal;
  }
  return AtPoint::nothing;
}

Ball compare_constants(Sides sides, bool complex) {
  sides.bits = constant_bits;
  auto result = compare_at(sides, {}, complex);
  if (!complex && result != AtPoint::equal && result != AtPoint::different) result = compare_at(sides, {}, true);
  return result == AtPoint::equal ? Ball::equal : result == AtPoint::different ? Ball::different : Ball::undecided;
}

bool has_bars(const Tree& tree, Index at) {
  const auto& node = tree[at];
  if (node.kind == Kind::function && node.text == "abs") return true;
  return std::any_of(node.children.begin(), node.children.end(), [&](Index child) { return has_bars(tree, child); });
}

// A real constant, to a precision at which its sign is known; false if there is none.
bool real_constant(const Tree& tree, Index at, Work& work, const Bindings& bindings, RealBall& out) {
  ComplexBall value;
  for (int64_t bits = first_bits; bits <= last_bits; bits *= 2) {
    const auto state = BallEvaluator(tree, work, bindings, false, bits).evaluate(at, value);
    if (state == Value::undefined) return false;
    if (state == Value::ok) arb_set(out, value.real());
    if (state == Value::ok && (!arb_contains_zero(out) || arb_is_zero(out))) return true;
  }
  return false;
}

}  // namespace

Ball compare_by_balls(const Tree& tree, Index a, Index b, Work& work, const Normalizer* normalizer, const Fraction* difference) {
  const Sides sides{.tree = tree, .a = a, .b = b, .work = work, .normalizer = normalizer, .difference = difference};
  const auto plan = plan_points(tree, a, b);
  if (plan.symbols.empty()) return compare_constants(sides, plan.complex);
  const bool bars_in_a = has_bars(tree, a), bars_in_b = has_bars(tree, b);
  int64_t good = 0;
  const auto differs_at = [&](int64_t number) {
    const auto result = compare_at(sides, make_point(plan, number), plan.complex);
    good += result == AtPoint::equal;
    return result == AtPoint::different || (result == AtPoint::only_a && bars_in_a && !bars_in_b) ||
           (result == AtPoint::only_b && bars_in_b && !bars_in_a);
  };
  for (int64_t number = 0; number < most_points && good < enough_points; ++number)
    if (differs_at(number)) return Ball::different;
  for (int64_t number = first_piece; plan.pieces && number < first_piece + pieces; ++number)
    if (differs_at(number)) return Ball::different;
  return good >= least_points ? Ball::equal : Ball::undecided;
}

std::optional<int> sign_of(const Tree& tree, Index at, Work& work, const Bindings& bindings) {
  RealBall value;
  if (!real_constant(tree, at, work, bindings, value)) return std::nullopt;
  return arb_is_positive(value) ? 1 : arb_is_negative(value) ? -1 : 0;
}

bool is_defined(const Tree& tree, Index at, Work& work) {
  ComplexBall value;
  for (int64_t bits = first_bits; bits <= 1024; bits *= 2) {
    const auto state = BallEvaluator(tree, work, {}, true, bits).evaluate(at, value);
    if (state != Value::imprecise) return state == Value::ok;
  }
  return false;
}

std::optional<Rational> approximation(const Tree& tree, Index at, Work& work) {
  ComplexBall value;
  if (BallEvaluator(tree, work, {}, false, 2 * first_bits).evaluate(at, value) != Value::ok) return std::nullopt;
  const auto* middle = arb_midref(value.real());
  const bool tiny = !arf_is_zero(middle) && arf_cmpabs_2exp_si(middle, -5000) < 0;
  if (tiny || arf_cmpabs_2exp_si(middle, 5000) > 0) return std::nullopt;
  Rational result;
  arf_get_fmpq(result, middle);
  return result;
}

bool within(const Tree& tree, Index a, Index b, double tolerance, Work& work) {
  RealBall x, y, allowed;
  if (!real_constant(tree, a, work, {}, x) || !real_constant(tree, b, work, {}, y)) return false;
  arb_set_d(allowed, tolerance);
  arb_mul(allowed, allowed, y, first_bits);
  arb_abs(allowed, allowed);
  arb_sub(x, x, y, first_bits);
  arb_abs(x, x);
  return arb_le(x, allowed);
}

Ratio ratio_by_balls(const Tree& tree, Index a, Index b, Work& work) {
  const auto plan = plan_points(tree, a, b);
  const int64_t bits = 2 * first_bits, points = plan.symbols.empty() ? 1 : most_points;
  ComplexBall x, y, first, distance;
  Magnitude allowed, found;
  int64_t good = 0;
  for (int64_t number = 0; number < points && good < enough_points; ++number) {
    BallEvaluator evaluator(tree, work, make_point(plan, number), plan.complex, bits);
    if (evaluator.evaluate(a, x) != Value::ok || evaluator.evaluate(b, y) != Value::ok) continue;
    const bool a_may_vanish = acb_contains_zero(x), b_may_vanish = acb_contains_zero(y);
    if (a_may_vanish && b_may_vanish) continue;
    if (a_may_vanish || b_may_vanish) return (acb_is_zero(x) || acb_is_zero(y)) ? Ratio::varies : Ratio::unknown;
    acb_div(x, x, y, bits);
    if (good == 0) acb_set(first, x);
    acb_sub(distance, x, first, bits);
    if (!acb_contains_zero(distance)) return Ratio::varies;
    acb_get_mag(found, distance);
    acb_get_mag_lower(allowed, first);
    mag_mul_2exp_si(allowed, allowed, -relative_bits / 2);
    good += mag_cmp(found, allowed) <= 0;
  }
  if (good < (plan.symbols.empty() ? 1 : least_points)) return Ratio::unknown;
  if (!arb_contains_zero(first.imag())) return Ratio::complex;
  return arb_is_positive(first.real()) ? Ratio::positive : Ratio::negative;
}

}  // namespace reward::math
