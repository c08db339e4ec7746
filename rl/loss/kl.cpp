#include "rl/loss/kl.h"

#include "kernels/error.h"

namespace rl {
namespace {

double exp_of_minus(double d) { return std::exp(d < -20 ? 20 : -d); }

}  // namespace

double kl_value(const std::string& estimator, double d) {
  if (estimator == "k1") return d;
  if (estimator == "k2") return d * d / 2;
  if (estimator == "k3") return exp_of_minus(d) + d - 1;
  kernels::fail_usage("kl.value: is \"{}\", but must be one of: k1, k2, k3.", estimator);
}

KlPenalty::KlPenalty(const KlConfig& config)
    : value_(config.value == "k1" ? Value::k1 : config.value == "k2" ? Value::k2 : Value::k3),
      gradient_(config.gradient == "naive" || config.where != "loss" ? Gradient::naive
                : config.gradient == "k2"                              ? Gradient::k2
                                                                       : Gradient::unbiased),
      whole_sequence_(config.level == "sequence") {}

KlTerm KlPenalty::term(double d, double ratio) const {
  KlTerm term;
  switch (value_) {
    case Value::k1: term = {d, 1.0}; break;
    case Value::k2: term = {d * d / 2, d}; break;
    case Value::k3: term = {exp_of_minus(d) + d - 1, 1 - exp_of_minus(d)}; break;
  }
  if (gradient_ == Gradient::k2) term.slope = d;
  if (gradient_ == Gradient::unbiased) term = {ratio * term.value, ratio * (term.value + term.slope)};
  return term;
}

}  // namespace rl
