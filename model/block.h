// One transformer block: attention and feed-forward, forward and backward. Internal to model/.
//
// A forward pass fills what its backward pass needs. h is the residual stream, float32 [N, D].
#pragma once

#include <vector>

#include "kernels/attention.h"
#include "kernels/rms_norm.h"
#include "kernels/router.h"
#include "model/token_batch.h"
#include "model/weight_set.h"

namespace model {

// Where a block's keys and values live.
struct KeyLayer {
  at::Tensor keys, values;
};

struct AttentionTape {
  kernels::RmsNormOutput norm;
  at::Tensor query;                              // float32 [N, H, dk] as attention read it
  at::Tensor raw_query, raw_key;                 // GQA with q/k norm: before it, a row for each norm
  at::Tensor unclipped_query, unclipped_key, unclipped_value;  // GQA with clip_qkv: before it
  at::Tensor query_inverse, key_inverse;
  at::Tensor query_latent;                       // MLA with query compression: before its norm
  kernels::RmsNormOutput query_latent_norm;
  at::Tensor latent, latent_inverse;             // MLA: latent before its norm
  at::Tensor nope;                               // MLA: q_nope rounded [N, H, nope]
  at::Tensor heads_out;                          // MLA: the heads' values rounded [N, H * value]
  KeyLayer keys;
  kernels::AttentionOutput out;
};

struct DenseTape {
  at::Tensor gate, up, hidden;  // float32, float32, rounded
};

struct FeedForwardTape {
  kernels::RmsNormOutput norm;
  DenseTape dense;  // the dense layer, or the shared experts
  // MoE
  at::Tensor wide;  // norm output widened, the router's input
  at::Tensor choices;                            // given to the router; undefined: it chooses
  const std::vector<int64_t>* groups = nullptr;  // of the rows; the batch's own
  double balance_weight = 0;                     // of each group's balance loss in the backward pass
  kernels::Routes routes;
  kernels::ExpertRows sorted;
  at::Tensor expert_in;
  DenseTape experts;
  at::Tensor expert_out;  // float32 [T, D]
};

struct BlockTape {
  at::Tensor h_in, h_mid;
  AttentionTape attention;
  FeedForwardTape feed_forward;
};

// Each returns h plus the sublayer's output. `keep`: for a backward pass; without it the tape lacks what is costly to write.
at::Tensor attention_forward(const WeightSet& weights, int64_t layer, const TokenBatch& batch, const kernels::AttentionPlan& plan,
                             const at::Tensor& h, const KeyLayer& storage, AttentionTape& tape);
at::Tensor feed_forward_forward(const WeightSet& weights, int64_t layer, const std::vector<int64_t>& groups, const at::Tensor& h,
                                bool keep, FeedForwardTape& tape);

// Each takes the gradient of its output, adds weight gradients to `store`, and returns the gradient of h through the sublayer.
at::Tensor attention_backward(const WeightSet& weights, int64_t layer, const TokenBatch& batch, const kernels::AttentionPlan& plan,
                              const at::Tensor& dout, const at::Tensor& h, const AttentionTape& tape, ParameterStore& store);
at::Tensor feed_forward_backward(const WeightSet& weights, int64_t layer, const at::Tensor& dout, const at::Tensor& h,
                                 const FeedForwardTape& tape, ParameterStore& store);

}  // namespace model
