// The policy loss: one sum over tokens whose parts are settings of [loss] and [kl].
//
//   loss = sum over trained tokens of  weight * (correction * objective(ratio, A) + kl.coef * KL - entropy_coef * H)
//
// ratio = exp(log pi - log pi_old): the token's own, or with ratio_level = sequence s = exp(mean over the completion)
// (GSPO, arXiv:2507.18071, Eq. 7), whose slope by each of the n tokens' log-probabilities is s / n; sequence_token has the
// value s for every token and the token's own slope (Eq. 14). The objectives are in rl/loss/objective.h, the KL in kl.h.
// Log-ratios are cut at +-20 before exp; there the slope is 0.
//
// The weights carry the one denominator, counted over the whole optimizer update (weigh_tokens), so micro-batches add up to
// the full batch. Everything is float64 until the gradient is rounded to float32.
#pragma once

#include "kernels/token_logprob.h"
#include "rl/batch.h"
#include "rl/config.h"

namespace rl {

// Added up over the micro-batches of an update, token by token in canonical order: any split gives the same bits.
struct LossSums {
  double loss = 0;                               // as above
  double policy_loss = 0;                        // without KL and entropy
  double tokens = 0, sequences = 0;              // trained
  double kl = 0, entropy = 0;                    // over tokens; kl as it is penalised, before kl.coef
  double ratios = 0;                             // what the next two are counted in: tokens, or sequences
  double clipped_low = 0, clipped_high = 0;
  double clipped_low_min = 1, clipped_high_max = 0;  // of one sequence's share
};

struct PolicyGradient {
  at::Tensor dlogprobs;  // d loss / d log pi, float32 [S]; 0 where the mask is false
  at::Tensor dentropy;   // d loss / d entropy; undefined when entropy_coef == 0
};

// `head`: the policy's, of micro.tokens.head_rows. Where micro.mask is false all else may hold anything, NaN included.
// The KL is in the loss when micro.reference_logprobs is defined and kl.where is "loss"; elsewhere it is only summed up.
// `entropy_coef` stands for loss.entropy_coef, which may move. Throws kernels::Error if a shape or dtype differs, or if a
// loss or gradient is not finite (naming the token).
PolicyGradient policy_loss(const MicroBatch& micro, const kernels::TokenLogprob& head, const LossConfig& loss, const KlConfig& kl,
                           double entropy_coef, LossSums& sums);

}  // namespace rl
