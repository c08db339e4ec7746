// Drawing one token from a row of logits.
#pragma once

#include <cstdint>
#include <vector>

namespace kernels {

struct SamplingParameters {
  double temperature = 1.0;  // 0: the largest logit (lowest id on a tie)
  int64_t top_k = 0;         // keep the k largest; 0: all
  double top_p = 1.0;        // then the fewest, largest first, whose mass reaches top_p
  double min_p = 0.0;        // then those with probability >= min_p * the largest
  // Log-probabilities are over the kept ids, which the sampler then hands on.
  bool renormalise = false;
  bool truncates() const { return top_k > 0 || top_p < 1.0 || min_p > 0.0; }
};

struct SampledToken {
  int32_t token = 0;
  float kept_mass = 1.0f;  // share of the full softmax that the truncation kept
};

// logits: `vocab` values, float32. `unit` is uniform in [0, 1). Order of the cuts as in vLLM: temperature, top-k, top-p,
// min-p. Ties at a cut keep the lower id. Sums run in ascending id in fixed chunks: the same bits everywhere.
// `kept`, if given, becomes the ids that the cuts left, ascending; empty without a cut.
SampledToken sample_token(const float* logits, int64_t vocab, const SamplingParameters& parameters, double unit,
                          std::vector<int32_t>* kept = nullptr);

}  // namespace kernels
