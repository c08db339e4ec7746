// Importance correction: samples of other weights than the trainer's, or of another engine.
//
// w = exp(old - sampler's log-probability) of a token; all factors are constants for the gradient.
//   truncate  w cut to [lower, upper] (truncated importance sampling)
//   mask      w where it lies in [lower, upper], else 0 (IcePop, arXiv:2510.18855)
//   seq_mask  the product W of the completion's w where it lies in the bounds, else 0, for all its tokens
// A token with factor 0 still counts in the loss's denominator, as in TRL.
#pragma once

#include <vector>

#include "rl/batch.h"
#include "rl/config.h"

namespace rl {

struct CorrectionSums {
  double tokens = 0, dropped = 0;
  double least = 1e300, most = -1e300, sum = 0;  // of the factors
};

// Fills each sequence's corrections from old_logprobs and logprobs. mode "off": leaves them empty.
CorrectionSums correct_for_sampler(std::vector<TrainGroup>& groups, const CorrectionConfig& config);

}  // namespace rl
