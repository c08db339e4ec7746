// Compute weights of one policy version: what the sampler and the trainer both read. The policy, the reference and a
// stale policy are WeightSets.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "kernels/linear.h"
#include "kernels/rope.h"
#include "model/config.h"
#include "model/lora/low_rank.h"
#include "model/parameter_store.h"

namespace model {

// The low-rank parts of a block's products, where there are any: see model/lora.
struct BlockAdapters {
  LowRank query, key, value, output;                               // of the weights of the same names below
  LowRank query_down, query_up, key_value_down, key_up, value_up;  // key_up and value_up: the halves of kv_b_proj's
  LowRank gate, up, down, expert_gate, expert_up, expert_down;
};

struct BlockWeights {
  at::Tensor attention_norm, feed_forward_norm;  // float32 [D]
  // GQA
  kernels::PackedWeight query, key, value;
  at::Tensor query_norm, key_norm;  // float32 [head_size], or of all heads together
  // MLA: query (or query_down, query_up), key_value_down, and the two halves of kv_b_proj, one matrix a head
  kernels::PackedWeight query_down, query_up, key_value_down, key_up, value_up;
  at::Tensor query_latent_norm, latent_norm;
  kernels::PackedWeight output;
  // Where the model has them: float32 holding values of the compute dtype, [O] of the weight of that name.
  at::Tensor query_bias, key_bias, value_bias, query_down_bias, key_value_down_bias, output_bias;
  at::Tensor gate_bias, up_bias, down_bias;
  // dense feed-forward, or the shared experts of a MoE layer
  kernels::PackedWeight gate, up, down;
  // MoE
  kernels::PackedWeight router;  // always float32
  at::Tensor correction_bias;    // float32 [E], sigmoid routers
  kernels::PackedWeight expert_gate, expert_up, expert_down;
  BlockAdapters adapters;
};

struct WeightSet {
  ModelConfig config;
  kernels::Dtype dtype = kernels::Dtype::float32;
  int64_t version = 0;  // optimizer step that made these weights
  kernels::PackedWeight embedding, head;  // the same storage when tied
  at::Tensor final_norm;
  std::vector<BlockWeights> blocks;
  kernels::RopeTable rope;

  std::vector<const kernels::PackedWeight*> packed() const;  // each storage once
  int64_t bytes() const;
};

// The two halves of MLA's kv_b_proj [heads * (nope + value), latent] as one matrix a head, in the absorbed form:
// W_UK^T (nope -> latent) and W_UV (latent -> value). For the masters and for their gradient.
kernels::MatrixView mla_key_up(const ModelConfig& config, float* kv_b);
kernels::MatrixView mla_value_up(const ModelConfig& config, float* kv_b);

// Where a parameter's float32 values come from while they are packed; called once for each parameter.
using ParameterReader = std::function<kernels::ReadRun(const Parameter&)>;

// Packs all parameters in one pass. When nobody else holds `reuse`, its storage is written over: no copy, no allocation.
std::shared_ptr<const WeightSet> pack_weights(const ParameterList& parameters, const ParameterReader& reader, kernels::Dtype dtype,
                                              int64_t version, std::shared_ptr<const WeightSet> reuse = nullptr);
// From the store's masters, as they are.
std::shared_ptr<const WeightSet> pack_weights(const ParameterStore& store, kernels::Dtype dtype, int64_t version,
                                              std::shared_ptr<const WeightSet> reuse = nullptr);

}  // namespace model
