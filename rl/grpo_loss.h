// GRPO policy loss: clipped surrogate, minus a KL penalty to the reference, plus an entropy bonus.
//
// Source: DeepSeekMath, arXiv:2402.03300, Eq. 3 (objective) and Eq. 4 (the k3 estimator of the KL).
//   token loss = -min(ratio * A, clip(ratio, 1 - clip_low, 1 + clip_high) * A) + kl_coef * k3 - entropy_coef * entropy
//   ratio = exp(policy - old);  k3 = exp(reference - policy) - (reference - policy) - 1
// The log-ratios are clamped to +-20 before exp. The loss is the sum over tokens of weight * token loss: the weights
// carry the one denominator, counted over the whole optimizer step, so micro-batches add up to the full batch.
#pragma once

#include "kernels/tensor.h"

namespace rl {

struct GrpoLossConfig {
  double clip_low = 0.2;   // ratio is clamped to >= 1 - clip_low
  double clip_high = 0.2;  // ratio is clamped to <= 1 + clip_high
  double kl_coef = 0.0;    // 0: no reference
  double entropy_coef = 0.0;
};

// All tensors are float32 [S], one entry a trained token, except `mask`, which is bool [S]. Where `mask` is false the
// other tensors may hold anything, NaN and infinities included.
struct GrpoLossInputs {
  at::Tensor policy_logprobs;     // log pi_theta
  at::Tensor entropy;             // of pi_theta, nats; may be undefined when entropy_coef == 0
  at::Tensor old_logprobs;        // log pi_old
  at::Tensor reference_logprobs;  // log pi_ref; undefined when kl_coef == 0
  at::Tensor advantages;          // the same value on all tokens of one completion
  at::Tensor token_weights;       // share of the token in the step's loss
  at::Tensor mask;                // true where the policy chose the token
};

struct GrpoLossOutput {
  double loss = 0;               // sum of weight * token loss
  at::Tensor dlogprobs;          // d loss / d policy_logprobs, float32 [S]; 0 where masked
  at::Tensor dentropy;           // d loss / d entropy; undefined when entropy_coef == 0
  // Sums over the trained tokens, for the step's means.
  double tokens = 0, kl = 0, entropy_sum = 0, clipped_low = 0, clipped_high = 0;
};

// The sums go on from `earlier`, the output of the micro-batch before, token by token: any split adds in the same order.
// Throws kernels::Error if a shape or dtype differs, or if a loss or gradient is not finite (naming the token).
GrpoLossOutput grpo_loss(const GrpoLossInputs& in, const GrpoLossConfig& config, const GrpoLossOutput& earlier = {});

}  // namespace rl
