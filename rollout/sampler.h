// Logits -> token and its log-probability.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/rng.h"
#include "kernels/sample_token.h"
#include "kernels/tensor.h"

namespace rollout {

// Throws UsageError for a temperature, top_k, top_p or min_p outside of its range, and for renormalise at temperature 0.
void check_sampling(const kernels::SamplingParameters& sampling);

// What the log-probability of a sampled token is divided by, inverted. Temperature 0 takes the largest logit and records
// its log-probability at temperature 1. The trainer must use the same float.
float inverse_temperature(const kernels::SamplingParameters& sampling);

// One token to draw from row `row` of the logits.
struct Draw {
  int64_t row = 0;
  const kernels::SamplingParameters* sampling = nullptr;
  kernels::RandomKey key;
  kernels::SampledToken sampled;  // result
  // Results: log softmax(logits / temperature) before any truncation; with sampling.renormalise over the kept ids, given
  // here in ascending order (empty when nothing was cut).
  float logprob = 0.0f;
  std::vector<int32_t> kept = {};
};

// Fills the results of `count` draws. `logits` float32 [rows, >= vocab]; draws come in ascending order of rows. A result
// depends on its row, parameters and key alone.
void draw_tokens(const at::Tensor& logits, int64_t vocab, Draw* draws, int64_t count);

}  // namespace rollout
