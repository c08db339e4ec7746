// The KL penalty to the reference: what it is worth, and the slope it is learnt by.
//
// With d = log pi - log pi_ref of a sampled token: k1 = d, k2 = d^2 / 2, k3 = exp(-d) + d - 1 (Schulman, "Approximating KL
// divergence"). k1 and k3 are unbiased values, but their slopes are not the KL's: that of k1 is 1, whose mean is 0, and
// that of k3 is 1 - exp(-d). Hence [kl] gradient:
//   naive     the value's own slope
//   k2        d, the slope of k2: right where the samples are the policy's
//   unbiased  the value is weighed with r = pi / pi_old (DeepSeek-V3.2, arXiv:2512.02556): value r k, slope r (k + k'),
//             which is r d for k3: right for samples of pi_old
// exp(-d) is cut at e^20 so that it stays finite; d itself is not, so a policy that has left the reference shows.
#pragma once

#include <cmath>

#include "rl/config.h"

namespace rl {

// A log-ratio as it may enter exp: e^20 is far beyond every clip range.
inline double exp_of_log_ratio(double log_ratio) { return std::exp(log_ratio < -20 ? -20 : log_ratio > 20 ? 20 : log_ratio); }

// The value of an estimator ("k1", "k2", "k3") at d.
double kl_value(const std::string& estimator, double d);

struct KlTerm {
  double value = 0, slope = 0;  // slope: by the policy's log-probability
};

// The settings of [kl], read once for all tokens. Where the KL is not in the loss it is the plain value.
class KlPenalty {
 public:
  explicit KlPenalty(const KlConfig& config);
  // `d` is a token's log-ratio of policy to reference, or a completion's with level = sequence; `ratio` is pi / pi_old.
  KlTerm term(double d, double ratio) const;
  bool whole_sequence() const { return whole_sequence_; }

 private:
  enum class Value { k1, k2, k3 } value_;
  enum class Gradient { naive, k2, unbiased } gradient_;
  bool whole_sequence_;
};

}  // namespace rl
