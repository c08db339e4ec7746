// Log-probability and entropy of one token a row: log_softmax(logits * inverse_temperature) at the target.
//
// The vocabulary is read in fixed chunks of 1,024 with an online maximum and sum, so the sampler, which holds the
// logits of a few rows, and the trainer, which never stores them, get the same bits.
// With z = logits * inverse_temperature over the real vocabulary (padded ids are left out):
//   log_z = log sum e^z,  logprob = z[target] - log_z,  entropy = log_z - sum softmax(z) z.
//
// A row with a list of kept ids (truncated sampling) takes all three over those ids alone: the same sums over their z, in
// ascending id, as if the vocabulary were these ids. The others have no probability and get no gradient. The target must be
// among them.
#pragma once

#include <vector>

#include "kernels/kept_ids.h"
#include "kernels/linear.h"

namespace kernels {

struct TokenLogprob {
  at::Tensor logprob, entropy, log_z;  // float32 [S]
};

// logits float32 [S, >= vocab]; targets [S], -1 for rows without one (their logprob is 0). `kept`: S rows, or null.
TokenLogprob token_logprob(const at::Tensor& logits, int64_t vocab, const int32_t* targets, const float* inverse_temperature,
                           const KeptIds* kept = nullptr);

// The logprob of one row over `count` kept ids, with the bits of token_logprob.
float kept_token_logprob(const float* logits, const int32_t* ids, int64_t count, int32_t target, float inverse_temperature);

// The same from hidden states, a chunk of rows at a time: logits = x w^T are never stored whole.
// x of w's dtype [S, D].
TokenLogprob linear_token_logprob(const at::Tensor& x, const PackedWeight& w, int64_t vocab, const int32_t* targets,
                                  const float* inverse_temperature, const KeptIds* kept = nullptr);

// d logprob / dz_v = [v == target] - p_v;  d entropy / dz_v = -p_v (log p_v + entropy).
// dlogprob, dentropy float32 [S] (dentropy may be undefined). Returns dx float32 [S, D]; dw += dlogits^T x (S even in
// bf16). `dw.data == nullptr` skips the weight.
at::Tensor linear_token_logprob_backward(const at::Tensor& dlogprob, const at::Tensor& dentropy, const at::Tensor& x,
                                         const PackedWeight& w, int64_t vocab, const int32_t* targets,
                                         const float* inverse_temperature, const TokenLogprob& forward, const MatrixView& dw,
                                         const KeptIds* kept = nullptr);

// What its backward pass holds beside inputs and outputs: logits, their gradient and its transpose of one chunk of rows.
int64_t token_logprob_chunk_bytes(Dtype dtype, int64_t vocab, int64_t rows);

}  // namespace kernels
