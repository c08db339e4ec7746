#include "rl/loss/policy_loss.h"

#include <algorithm>
#include <cmath>

#include "kernels/error.h"
#include "rl/loss/kl.h"
#include "rl/loss/objective.h"

namespace rl {
namespace {

const float* floats(const at::Tensor& x, const char* name, int64_t size) {
  if (!x.defined() || x.dim() != 1 || x.size(0) != size || x.scalar_type() != at::kFloat)
    kernels::fail("policy_loss: {} must be Float [{}].", name, size);
  return kernels::f32(x);
}

// A micro-batch as plain arrays of one entry a head row.
struct Rows {
  const float *policy, *old, *advantages, *weights;
  const float *entropy = nullptr, *reference = nullptr, *corrections = nullptr;
  const bool* mask;

  Rows(const MicroBatch& micro, const kernels::TokenLogprob& head, bool with_entropy) {
    const int64_t size = head.logprob.size(0);
    policy = floats(head.logprob, "policy log-probabilities", size);
    old = floats(micro.old_logprobs, "old_logprobs", size);
    advantages = floats(micro.advantages, "advantages", size);
    weights = floats(micro.token_weights, "token_weights", size);
    if (head.entropy.defined() || with_entropy) entropy = floats(head.entropy, "entropy", size);
    if (micro.reference_logprobs.defined()) reference = floats(micro.reference_logprobs, "reference_logprobs", size);
    if (micro.corrections.defined()) corrections = floats(micro.corrections, "corrections", size);
    if (micro.mask.dim() != 1 || micro.mask.size(0) != size || micro.mask.scalar_type() != at::kBool)
      kernels::fail("policy_loss: mask must be Bool [{}].", size);
    mask = static_cast<const bool*>(micro.mask.const_data_ptr());
  }
};

struct Ratio {
  double value = 1, slope = 1;  // slope: by its log-ratio
};

Ratio ratio_of(double log_ratio) {
  const double value = exp_of_log_ratio(log_ratio);
  return {value, std::abs(log_ratio) > 20 ? 0.0 : value};
}

// The loss of one completion after the other.
class SequenceLoss {
 public:
  SequenceLoss(const Rows& rows, const LossConfig& loss, const KlConfig& kl, double entropy_coef, LossSums& sums, float* dlogprobs,
               float* dentropy)
      : rows_(rows), config_(loss), objective_(objective_of(loss)), penalty_(kl), kl_coef_(kl.where == "loss" ? kl.coef : 0.0),
        entropy_coef_(entropy_coef), whole_(loss.ratio_level != "token"), shared_slope_(loss.ratio_level == "sequence"), sums_(sums),
        dlogprobs_(dlogprobs), dentropy_(dentropy) {}

  void add(const SequenceRange& range) {
    gather(range);
    if (tokens_.empty()) return;
    low_ = high_ = 0;
    double slope_sum = 0, weight_sum = 0;  // of the whole completion, for what its tokens share
    gradients_.assign(tokens_.size(), 0.0);
    for (size_t i = 0; i < tokens_.size(); ++i) {
      const int64_t t = tokens_[i];
      const double weight = rows_.weights[t];
      weight_sum += weight;
      double token_loss = add_policy(i, weight, slope_sum);
      if (rows_.reference && !penalty_.whole_sequence()) token_loss += add_kl(i, weight);
      if (rows_.entropy) token_loss += add_entropy(t, weight);
      sums_.loss += token_loss;
      check(t, token_loss);
    }
    if (shared_slope_)
      for (double& g : gradients_) g += slope_sum * sequence_ratio_.slope / count_;
    if (rows_.reference && penalty_.whole_sequence()) add_sequence_kl(weight_sum);
    write();
  }

 private:
  // The completion's trained tokens and its own ratio.
  void gather(const SequenceRange& range) {
    tokens_.clear();
    double log_ratios = 0;
    for (int64_t t = range.first; t < range.first + range.count; ++t) {
      if (!rows_.mask[t]) continue;
      tokens_.push_back(t);
      log_ratios += double(rows_.policy[t]) - double(rows_.old[t]);
    }
    count_ = static_cast<double>(tokens_.size());
    if (whole_ && !tokens_.empty()) sequence_ratio_ = ratio_of(log_ratios / count_);
  }

  double add_policy(size_t i, double weight, double& slope_sum) {
    const int64_t t = tokens_[i];
    const Ratio ratio = whole_ ? sequence_ratio_ : ratio_of(double(rows_.policy[t]) - double(rows_.old[t]));
    const ObjectiveTerm term = objective_(config_, ratio.value, rows_.advantages[t], rows_.policy[t]);
    const double factor = weight * (rows_.corrections ? double(rows_.corrections[t]) : 1.0);
    if (shared_slope_) slope_sum += factor * term.by_ratio;
    else gradients_[i] += factor * (term.by_ratio * ratio.slope);
    gradients_[i] += factor * term.by_logprob;
    low_ += term.clipped_low, high_ += term.clipped_high;
    sums_.policy_loss += factor * term.loss;
    return factor * term.loss;
  }

  double add_kl(size_t i, double weight) {
    const int64_t t = tokens_[i];
    const double ratio = exp_of_log_ratio(double(rows_.policy[t]) - double(rows_.old[t]));
    const KlTerm kl = penalty_.term(double(rows_.policy[t]) - double(rows_.reference[t]), ratio);
    sums_.kl += kl.value;
    if (kl_coef_ == 0) return 0;
    gradients_[i] += weight * kl_coef_ * kl.slope;
    return weight * kl_coef_ * kl.value;
  }

  // Each token carries its share 1 / n of the completion's penalty.
  void add_sequence_kl(double weight_sum) {
    double d = 0;
    for (const int64_t t : tokens_) d += double(rows_.policy[t]) - double(rows_.reference[t]);
    const KlTerm kl = penalty_.term(d, 1.0);
    sums_.kl += kl.value;
    if (kl_coef_ == 0) return;
    const double factor = kl_coef_ * weight_sum / count_;
    sums_.loss += factor * kl.value;
    for (double& g : gradients_) g += factor * kl.slope;
  }

  double add_entropy(int64_t t, double weight) {
    sums_.entropy += rows_.entropy[t];
    if (entropy_coef_ == 0) return 0;
    dentropy_[t] = static_cast<float>(-entropy_coef_ * weight);
    return -entropy_coef_ * weight * rows_.entropy[t];
  }

  void write() {
    sums_.tokens += count_;
    sums_.sequences += 1;
    const double ratios = whole_ ? 1 : count_;
    if (whole_) low_ = low_ > 0, high_ = high_ > 0;
    sums_.ratios += ratios;
    sums_.clipped_low += low_, sums_.clipped_high += high_;
    sums_.clipped_low_min = std::min(sums_.clipped_low_min, low_ / ratios);
    sums_.clipped_high_max = std::max(sums_.clipped_high_max, high_ / ratios);
    for (size_t i = 0; i < tokens_.size(); ++i) {
      dlogprobs_[tokens_[i]] = static_cast<float>(gradients_[i]);
      check(tokens_[i], gradients_[i]);
    }
  }

  void check(int64_t t, double value) const {
    if (!std::isfinite(value))
      kernels::fail("policy_loss: the loss or gradient is {} (token {} of this micro-batch); the step is not applied.", value, t);
  }

  const Rows& rows_;
  const LossConfig& config_;
  Objective objective_;
  KlPenalty penalty_;
  double kl_coef_, entropy_coef_;
  bool whole_, shared_slope_;
  LossSums& sums_;
  float *dlogprobs_, *dentropy_;
  // Of the completion at hand.
  std::vector<int64_t> tokens_;
  std::vector<double> gradients_;
  double count_ = 0, low_ = 0, high_ = 0;
  Ratio sequence_ratio_;
};

}  // namespace

PolicyGradient policy_loss(const MicroBatch& micro, const kernels::TokenLogprob& head, const LossConfig& loss, const KlConfig& kl,
                           double entropy_coef, LossSums& sums) {
  const int64_t size = head.logprob.size(0);
  const Rows rows(micro, head, entropy_coef != 0);
  PolicyGradient out;
  out.dlogprobs = kernels::zeros_f32({size});
  if (entropy_coef != 0) out.dentropy = kernels::zeros_f32({size});
  SequenceLoss sequence_loss(rows, loss, kl, entropy_coef, sums, kernels::f32(out.dlogprobs),
                             entropy_coef != 0 ? kernels::f32(out.dentropy) : nullptr);
  for (const SequenceRange& range : micro.sequences) {
    if (range.first < 0 || range.first + range.count > size)
      kernels::fail("policy_loss: a completion of head rows {} to {}, but there are {}.", range.first, range.first + range.count, size);
    sequence_loss.add(range);
  }
  return out;
}

}  // namespace rl
