// Small batches for tests of the loss: one entry a token, given as plain numbers.
#pragma once

#include <vector>

#include "rl/loss/policy_loss.h"

namespace testing {

struct LossBatch {
  rl::MicroBatch micro;
  kernels::TokenLogprob head;
};

// What one token brings; its completion is the number in `sequence`, which ascends.
struct LossToken {
  double policy = -1, old = -1, advantage = 0, weight = 1, entropy = 2;
  double reference = -1, correction = 1;
  int64_t sequence = 0;
  bool trained = true;
};

// `with_reference`, `with_corrections`: else those tensors stay undefined.
LossBatch loss_batch(const std::vector<LossToken>& tokens, bool with_reference = false, bool with_corrections = false);

// Tokens of completions of odd and even lengths, ratios around 1 and on both sides of the clip range, some not trained.
std::vector<LossToken> random_tokens(int64_t count, uint64_t seed = 1);

// The loss and its gradient by log-probability, for a config.
struct LossResult {
  rl::LossSums sums;
  std::vector<float> dlogprobs, dentropy;
};
LossResult loss_of(const LossBatch& batch, const rl::LossConfig& loss, const rl::KlConfig& kl = {}, double entropy_coef = 0);

}  // namespace testing
