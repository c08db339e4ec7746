#include <array>

#include "reward/math/ball_evaluator.h"

namespace reward::math {
namespace {

using ComplexFunction = void (*)(acb_t, const acb_t, slong);

struct Known {
  const char* name;
  ComplexFunction function;
};

// Arb's real function where it has a value, for then the imaginary part is exactly 0; the complex one elsewhere.
template <auto real_function, auto complex_function>
void either(acb_t out, const acb_t u, slong bits) {
  if (acb_is_real(u)) {
    real_function(acb_realref(out), acb_realref(u), bits);
    arb_zero(acb_imagref(out));
    if (arb_is_finite(acb_realref(out))) return;
  }
  complex_function(out, u, bits);
}

constexpr ComplexFunction arcsin = either<arb_asin, acb_asin>;
constexpr ComplexFunction arccos = either<arb_acos, acb_acos>;

// x -> f(1/x) where Arb has a function for the inverse argument only.
template <auto function>
void of_inverse(acb_t out, const acb_t u, slong bits) {
  ComplexBall inverse;
  acb_inv(inverse, u, bits);
  function(out, inverse, bits);
}

void absolute(acb_t out, const acb_t u, slong bits) { acb_abs(acb_realref(out), u, bits), arb_zero(acb_imagref(out)); }
void argument(acb_t out, const acb_t u, slong bits) { acb_arg(acb_realref(out), u, bits), arb_zero(acb_imagref(out)); }
void real_part(acb_t out, const acb_t u, slong) { acb_set_arb(out, acb_realref(u)); }
void imaginary_part(acb_t out, const acb_t u, slong) { acb_set_arb(out, acb_imagref(u)); }
void conjugate(acb_t out, const acb_t u, slong) { acb_conj(out, u); }

constexpr std::array<Known, 24> known{{{"sin", either<arb_sin, acb_sin>}, {"cos", either<arb_cos, acb_cos>},
                                       {"tan", either<arb_tan, acb_tan>}, {"cot", either<arb_cot, acb_cot>},
                                       {"sec", either<arb_sec, acb_sec>}, {"csc", either<arb_csc, acb_csc>},
                                       {"arcsin", arcsin}, {"arccos", arccos}, {"arctan", either<arb_atan, acb_atan>},
                                       {"arcsec", of_inverse<arccos>}, {"arccsc", of_inverse<arcsin>},
                                       {"sinh", either<arb_sinh, acb_sinh>}, {"cosh", either<arb_cosh, acb_cosh>},
                                       {"tanh", either<arb_tanh, acb_tanh>}, {"coth", either<arb_coth, acb_coth>},
                                       {"arcsinh", either<arb_asinh, acb_asinh>}, {"arccosh", either<arb_acosh, acb_acosh>},
                                       {"arctanh", either<arb_atanh, acb_atanh>}, {"exp", either<arb_exp, acb_exp>},
                                       {"abs", absolute}, {"arg", argument}, {"re", real_part}, {"im", imaginary_part},
                                       {"conj", conjugate}}};

Value sign(const ComplexBall& u, ComplexBall& out) {
  if (!acb_is_real(u)) return Value::undefined;
  const int positive = arb_is_positive(u.real()), negative = arb_is_negative(u.real());
  if (!positive && !negative) return Value::imprecise;
  acb_set_si(out, positive ? 1 : -1);
  return Value::ok;
}

// Rounded to a whole number; a ball around a whole number stays undecided.
Value rounded(bool down, const ComplexBall& u, int64_t bits, ComplexBall& out) {
  if (!acb_is_real(u)) return Value::undefined;
  RealBall result;
  if (down) arb_floor(result, u.real(), bits);
  else arb_ceil(result, u.real(), bits);
  if (!arb_is_exact(result)) return Value::imprecise;
  acb_set_arb(out, result);
  return Value::ok;
}

Value natural_logarithm(const ComplexBall& u, bool complex, int64_t bits, ComplexBall& out) {
  if (acb_is_zero(u)) return Value::undefined;
  if (acb_contains_zero(u)) return Value::imprecise;
  if (!complex && arb_is_negative(u.real())) return Value::undefined;
  acb_log(out, u, bits);
  return Value::ok;
}

// cot(-x): some mean pi - arccot(x), others -arccot(x); only the common part has a value here.
Value arcus_cotangens(const ComplexBall& u, int64_t bits, ComplexBall& out) {
  if (!arb_is_positive(u.real())) return Value::undefined;
  acb_inv(out, u, bits);
  acb_atan(out, out, bits);
  return Value::ok;
}

// arcsin and arccos are real on [-1, 1], arccosh from 1 on, arctanh inside (-1, 1): elsewhere undefined in the reals.
bool surely_outside_reals(const std::string& name, const ComplexBall& u) {
  RealBall size, one;
  arb_one(one);
  arb_abs(size, u.real());
  if (name == "arcsin" || name == "arccos" || name == "arctanh") return arb_gt(size, one);
  if (name == "arcsec" || name == "arccsc") return arb_lt(size, one);
  return name == "arccosh" && arb_lt(u.real(), one);
}

}  // namespace

Value apply_function(const std::string& name, const ComplexBall& u, bool complex, int64_t bits, ComplexBall& out) {
  if (name == "floor" || name == "ceil") return rounded(name == "floor", u, bits, out);
  if (name == "sgn") return sign(u, out);
  if (name == "ln") return natural_logarithm(u, complex, bits, out);
  if (name == "arccot") return arcus_cotangens(u, bits, out);
  for (const auto& [known_name, function] : known) {
    if (name != known_name) continue;
    if (!complex && surely_outside_reals(name, u)) return Value::undefined;
    function(out, u, bits);
    return Value::ok;
  }
  return Value::undefined;  // det, norm and what is not in the list
}

}  // namespace reward::math
