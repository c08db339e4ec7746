// Compute weights of a base with an adapter: a WeightSet that shares the base's packed weights and has its own A and B.
#pragma once

#include <memory>
#include <string>

#include "model/weight_set.h"

namespace model {

// The base's blocks with the pairs of `adapters` (lora_parameters.h), from their masters. No copy of the base is made. When
// nobody else holds `reuse`, which must be of the same base and adapters, its A and B are written over.
std::shared_ptr<const WeightSet> adapted_weights(const WeightSet& base, const ParameterStore& adapters, double scale,
                                                 int64_t version, std::shared_ptr<const WeightSet> reuse = nullptr);

// Where the gradients of a pair go. `at`: the matrix without ".weight".
LowRankGradient adapter_gradient(const ParameterStore& store, const std::string& at);

// kv_b_proj's. The absorbed form turns its key half, so B comes first for keys and last for values, and both halves use A.
// dA is one chain over the rows of both, row after row, so that a batch split anywhere gives the same bits: it waits until
// both halves went back.
class MlaAdapterBackward {
 public:
  // `at`: kv_b_proj. Does nothing for a block without its adapter.
  MlaAdapterBackward(const ParameterStore& store, std::string at, const BlockAdapters& adapters);
  // The value half: dy [N, H, value] and x [N, H, latent] of c, dx float32 like x goes on.
  void value_half(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& dx);
  // Then the key half: dy [N, H, latent], x [N, H, nope], dx like x.
  void key_half(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& dx);

 private:
  const ParameterStore& store_;
  std::string at_;
  const BlockAdapters& adapters_;
  at::Tensor value_dhidden_, value_x_;
};

}  // namespace model
