// Log-probabilities of given texts: many of them in one batch, in the trainer's own arithmetic.
//
// One row of a batch depends on its own text alone, so a text's numbers are the same, bit for bit, in any batch, on any
// number of threads, and equal those that the trainer and the sampler compute for it (model/transformer.h).
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "model/weight_set.h"

namespace rl {

struct ScoredText {
  std::vector<float> logprobs;  // one a token but the first: log pi(token n | tokens before it), nats
  // With top > 0, for each of those tokens the `top` likeliest ids at its place, the likeliest first; ties: lower id first.
  std::vector<std::vector<std::pair<int32_t, float>>> top;
};

struct ScoreTokensOptions {
  int64_t top = 0;
  double temperature = 1.0;  // logits are divided by it
};

// `flops`, where given, grows by what the pass costs (model/flops.h). Each text has at least one token, at most config.max_positions, and ids below vocab_size.
std::vector<ScoredText> score_tokens(const model::WeightSet& weights, const std::vector<const std::vector<int32_t>*>& texts,
                                     const ScoreTokensOptions& options, double* flops = nullptr);

// Bytes that score_tokens needs for one row of a batch, beside the weights and a fixed share of logits (64 MB).
int64_t score_tokens_bytes_per_row(const model::ModelConfig& config, kernels::Dtype dtype);

}  // namespace rl
