// The parameters of an adapter: a pair A, B beside each matrix that it changes.
//
// Source: Hu et al., arXiv:2106.09685, section 4. Names are those of the matrix with "lora_A" and "lora_B", as PEFT has them:
// "model.layers.0.self_attn.q_proj.lora_A.weight" [rank, in] and "....lora_B.weight" [out, rank]; for the experts of a layer
// [E, rank, in] and [E, out, rank]. An odd rank takes one row and column of zeros more, since bf16 products go in pairs;
// their gradients are exactly 0, so they stay 0. Everything else of the model is frozen: embeddings, norms, routers, biases.
// There is no dropout on the way into A.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "model/parameter_store.h"

namespace model {

struct LoraConfig {
  int64_t rank = 0;  // 0: no adapter
  double alpha = 16;
  bool rslora = false;                             // Kalajdzievski, arXiv:2312.03732: alpha / sqrt(rank)
  std::vector<std::string> targets{"all-linear"};  // "q_proj", "experts.down_proj", ...; see adapter_parameters

  bool on() const { return rank > 0; }
  double scale() const;  // alpha / rank
};

int64_t padded_rank(int64_t rank);  // the next even number

// A matrix that may be adapted: all but embeddings, head and routers. `module`: its name without ".weight".
bool can_be_adapted(const Parameter& p);
std::string module_of(const Parameter& p);
// The pair of a matrix: A, then B.
std::vector<Parameter> adapter_pair(const Parameter& matrix, int64_t rank);

// The pairs of the matrices that `wanted` names, in canonical order.
ParameterList adapter_parameters(const ModelConfig& config, int64_t rank, const std::function<bool(const Parameter&)>& wanted);
// Those that config.targets name: "all-linear", the last word of a module as the model's own family or we call it ("w1",
// "gate_proj"), or more of its end ("shared_experts.up_proj"), as in PEFT's target_modules. Throws UsageError for a target
// that names nothing, with the names that the model has.
ParameterList adapter_parameters(const ModelConfig& config, const LoraConfig& lora);
// A uniform in +-1 / sqrt(in) (Kaiming with a = sqrt(5), as PEFT), keyed by (seed, parameter, element); B zero: the adapted
// model is the base.
void init_adapters(ParameterStore& adapters, int64_t rank, uint64_t seed);

}  // namespace model
