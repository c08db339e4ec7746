// Timed forward and backward passes, for step_bench and the cost curves.
#pragma once

#include <memory>

#include "model/transformer.h"
#include "tests/bench/bench.h"

namespace bench {

struct TrainLoad {
  int64_t prompts = 2, samples = 8, prompt_tokens = 64, new_tokens = 128;
};

// One micro-batch of group trees, as the trainer packs them, and the memory that it needs.
class TrainRunner {
 public:
  TrainRunner(const model::ModelConfig& config, kernels::Dtype dtype, const TrainLoad& load);
  TrainRunner(std::unique_ptr<model::ParameterStore> store, kernels::Dtype dtype, const TrainLoad& load);

  double seconds(bool recompute);  // of one forward and backward pass
  int64_t rows() const { return batch_.rows(); }
  int64_t head_rows() const { return trained_; }
  const model::WeightSet& weights() const { return *weights_; }

 private:
  std::unique_ptr<model::ParameterStore> store_;
  std::shared_ptr<const model::WeightSet> weights_;
  model::TokenBatch batch_;
  at::Tensor dlogprob_;
  int64_t trained_ = 0;
};

}  // namespace bench
