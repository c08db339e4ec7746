// The transformer: one forward pass for prefill, decode, scoring and training, and its backward pass by tape.
//
// Rounding points, all of them (c = compute dtype, bf16 or float32; everything else is float32). How other implementations
// round: CONVENTIONS.md.
//   embedding row          c weights widened to float32: the residual stream h is float32
//   RMSNorm output         rounded once to c (it feeds a product); norm weights are float32
//   products               c inputs, c weights, float32 sums, not rounded; a bias, with values of c, is added to the sum
//   q                      float32 after norm, clip and rope; rounded to c where attention multiplies it with keys
//   softmax weights        rounded to c where they meet the values; their sum is float32
//   keys, values           rounded once to c when stored; attention reads only that, in training too
//   attention output       rounded once to c
//   MLA                    always the absorbed form: q_nope is rounded to c before W_UK, the latent out before W_UV, and
//                          the heads' values before the output product
//   silu(gate) * up        rounded once to c
//   router                 float32 product of the rounded norm output with float32 weights
//   experts                float32 weighted sum in ascending expert id, then + shared experts, then + residual
//   final norm output      rounded once to c; logits float32
//   backward               gradients of activations float32, rounded to c where they enter a product (dx and dW)
#pragma once

#include <memory>
#include <vector>

#include "kernels/token_logprob.h"
#include "model/token_batch.h"
#include "model/weight_set.h"

namespace model {

// Keys and values of all layers. An engine's cache, or fresh storage of a training batch.
struct KeyStorage {
  std::vector<at::Tensor> keys;    // per layer [R / 16, K, 16, dk] in the compute dtype
  std::vector<at::Tensor> values;  // per layer [R / 16, K, 16, dv]; undefined entries for MLA
};
KeyStorage make_key_storage(const ModelConfig& config, kernels::Dtype dtype, int64_t rows);
int64_t key_storage_bytes_per_row(const ModelConfig& config, kernels::Dtype dtype);

// What the backward pass needs. Opaque; made by forward_train.
struct Tape;

struct HeadOutput {
  kernels::TokenLogprob tokens;  // logprob, entropy, log_z: float32 [head_count]
  std::shared_ptr<Tape> tape;
  std::vector<at::Tensor> routes;   // with keep_routes: the experts of each row, one a layer, see kernels::replay_choices
  std::vector<double> balance;      // with balance_weight: each group's balance loss at weight 1, summed over layers
  std::vector<std::vector<int64_t>> expert_loads;  // [layers][experts] rows that chose each expert; empty for dense layers
};

// Inference: writes keys and values of the batch's rows to `storage`, returns the logits of head_rows, float32 [S, vocab].
at::Tensor forward_logits(const WeightSet& weights, const TokenBatch& batch, KeyStorage& storage);

// Final-norm output of head_rows in c, [S, D]: logits = linear(x, weights.head). `routes`, if given, gets the experts of each
// row as HeadOutput::routes.
at::Tensor forward_hidden(const WeightSet& weights, const TokenBatch& batch, KeyStorage& storage,
                          std::vector<at::Tensor>* routes = nullptr);

// Training or scoring forward over fresh key storage (key_rows[n] == n). keep_tape: for backward. Of the first
// `recomputed_blocks` blocks only the input is kept, and backward runs them again (same bits, less memory).
struct ForwardOptions {
  bool keep_tape = true;
  int64_t recomputed_blocks = 0;
  bool keep_routes = false;
  // Routing replay: one a layer, as HeadOutput::routes (undefined for a dense one). Null: rows choose their experts. Must
  // live until backward is done.
  const std::vector<at::Tensor>* routes = nullptr;
  double balance_weight = 0;  // of kernels::add_balance_loss, for each group and MoE layer; its gradient joins in backward
};
HeadOutput forward_train(const WeightSet& weights, TokenBatch batch, const ForwardOptions& options);

// Adds the weight gradients of sum(dlogprob * logprob) + sum(dentropy * entropy) to store.gradient. dentropy may be
// undefined. The tape is used up.
void backward(const WeightSet& weights, HeadOutput& output, const at::Tensor& dlogprob, const at::Tensor& dentropy,
              ParameterStore& store);

// For the memory plan, in bytes: what one row costs in forward_train and backward; what one row of an inference batch
// costs at most; the head's buffers in backward, which do not grow with rows beyond a chunk.
int64_t activation_bytes_per_row(const ModelConfig& config, kernels::Dtype dtype, int64_t recomputed_blocks);
int64_t block_bytes_per_row(const ModelConfig& config, kernels::Dtype dtype);
int64_t head_chunk_bytes(const ModelConfig& config, kernels::Dtype dtype, int64_t rows);

}  // namespace model
