// The policy being trained: masters, the packed weights that sampler and trainer share, and the optimizer step.
//
// In a LoRA run the store holds the adapter alone, with its gradient and moments; the base is there once, as packed weights
// that every version of the policy and its reference share.
#pragma once

#include <memory>
#include <string>

#include "model/files/source_files.h"
#include "model/flops.h"
#include "model/lora/lora_parameters.h"
#include "model/parameter_store.h"
#include "model/tokenizer/tokenizer.h"
#include "model/transformer.h"
#include "rl/batch.h"
#include "rl/config.h"
#include "rl/loss/policy_loss.h"

namespace rl {

using ExpertLoads = std::vector<std::vector<int64_t>>;  // [layers][experts]
void add_loads(ExpertLoads& sum, const ExpertLoads& loads);

// Sums over the micro-batches of one optimizer update.
struct UpdateStatistics {
  LossSums sums;
  // |sampler - trainer| of a token that the weights being trained drew, and of one that older weights drew.
  struct Difference {
    double sum = 0, max = 0, tokens = 0;
  } own, stale;
  double ratio_sum = 0, ratio_min = 1e300, ratio_max = -1e300;   // trainer's probability / sampler's
  double grad_norm = 0, learning_rate = 0;
  ExpertLoads expert_loads;
  double aux_loss = 0;                                           // balance loss before its coefficient, mean over groups
  double pack_seconds = 0, forward_seconds = 0, backward_seconds = 0, optimizer_seconds = 0;
};

// How a step is cut to fit in memory. Neither changes a bit of the result.
struct MicroBatchPlan {
  int64_t rows = 0;               // at most, or one group
  int64_t recomputed_blocks = 0;  // see model::ForwardOptions
};

class Policy {
 public:
  // Reads model.path, or is born with the TOML's sizes and the run's seed. Throws UsageError.
  // with_training false: no gradient and optimizer memory.
  Policy(const ModelSettings& settings, uint64_t seed, bool with_training);

  const model::ModelConfig& config() const { return store_.config(); }
  const model::Tokenizer& tokenizer() const { return *tokenizer_; }
  std::shared_ptr<const model::Tokenizer> shared_tokenizer() const { return tokenizer_; }
  const std::vector<int32_t>& stop_tokens() const { return stop_tokens_; }
  void stop_also_at(const std::vector<int32_t>& tokens) { stop_tokens_.insert(stop_tokens_.end(), tokens.begin(), tokens.end()); }
  kernels::Dtype dtype() const { return dtype_; }
  model::ParameterStore& store() { return store_; }
  // For people: family, layers, width, parameters, and what an adapter trains.
  std::string description() const;
  const std::shared_ptr<const model::WeightSet>& weights() const { return weights_; }
  int64_t version() const { return version_; }
  // Weights made of other masters (float32, flat), which later steps do not touch: a reference policy. An adapter that adds
  // nothing (every B is 0) gives the base itself.
  std::shared_ptr<const model::WeightSet> weights_of(const at::Tensor& master);

  // Log-probabilities of the groups' completions under some weights, written to one member of each sequence:
  // &TrainSequence::reference_logprobs, for example. 0 where a token is not trained. Groups with routes keep them.
  void score(std::vector<TrainGroup>& groups, const StageConfig& stage, const MicroBatchPlan& plan, const model::WeightSet& weights,
             std::vector<float> TrainSequence::*into) const;
  // The experts that each of the groups' rows has now, for moe.replay.
  void record_routes(std::vector<TrainGroup>& groups, const StageConfig& stage, const MicroBatchPlan& plan) const;
  // Forward and backward over the groups, in micro-batches; gradients add up in the store. kind "sft" takes -log pi as
  // the token loss. `entropy_coef`: see policy_loss.
  UpdateStatistics accumulate(const std::vector<TrainGroup>& groups, const StageConfig& stage, const MicroBatchPlan& plan,
                              double entropy_coef = 0);
  // Clips, applies AdamW, moves the routers' biases, packs the new weights (over the old ones when nobody else holds them)
  // and zeroes the gradient. `step` of `steps` is the stage's, 0-based.
  void apply(UpdateStatistics& statistics, const StageConfig& stage, int64_t step, int64_t steps);

  // A set that nobody reads any more: the next update's weights are written over it where others hold the present ones.
  void recycle(std::shared_ptr<const model::WeightSet> set);

  void discard_gradient();                 // of an update that is not applied
  void reset_optimizer();                  // zero moments, at the start of a stage
  void restore(int64_t version, int64_t optimizer_steps);  // after a checkpoint filled the store
  int64_t optimizer_steps() const { return optimizer_steps_; }
  // Since this object was made: of all passes above, as model/flops.h counts them, and trained tokens, each pass over one counting.
  double flops() const { return flops_; }
  void count_flops(double more) { flops_ += more; }  // of passes that others made with its weights
  int64_t trained_tokens() const { return trained_tokens_; }
  // A model folder, or in a LoRA run an adapter folder (model/lora/adapter_folder.h); the small files of the one it came from
  // are kept (model/files/folder_files.h). `chat_template`: Jinja text.
  void save(const std::string& directory, const std::string& chat_template) const;

 private:
  // Of the masters as they are.
  std::shared_ptr<const model::WeightSet> pack_masters(int64_t version, std::shared_ptr<const model::WeightSet> reuse = nullptr) const;

  model::LoraConfig lora_;
  std::string path_;
  model::ParameterStore store_;
  std::shared_ptr<const model::WeightSet> base_;  // of a LoRA run; else null
  std::shared_ptr<const model::Tokenizer> tokenizer_;
  model::SourceFiles source_;
  std::vector<int32_t> stop_tokens_;
  kernels::Dtype dtype_;
  std::shared_ptr<const model::WeightSet> weights_, spare_;
  int64_t version_ = 0;          // optimizer steps since birth: the version of the weights
  int64_t optimizer_steps_ = 0;  // since the moments were reset
  model::FlopCounter flop_counter_;
  mutable double flops_ = 0;
  int64_t trained_tokens_ = 0;
};

}  // namespace rl
