// Groups of completions -> token batches: each prompt's rows once, its completions as branches after them.
//
// Canonical order: group, sample, position. Prompt and branches are padded to an even number of rows, so the sums of dW,
// which take rows in pairs, are the same for any split into micro-batches. A micro-batch is a run of whole groups.
#pragma once

#include <cstdint>
#include <vector>

#include "model/token_batch.h"
#include "rl/config.h"

namespace rl {

struct TrainSequence {
  std::vector<int32_t> tokens;            // completion, end token included
  std::vector<float> logprobs;            // the sampler's, one a token; empty for SFT
  std::vector<int16_t> routes = {};       // of the rows that its tokens were drawn from, as rollout::SampleRecord; empty: none
  std::vector<uint8_t> trained;           // one a token
  kernels::KeptIds kept = {};             // one row a token, where log-probabilities are over kept ids alone; empty: over all
  std::vector<int32_t> versions;          // of the weights that drew it, one a token; empty: those that train it
  std::vector<float> old_logprobs;        // bottom of the ratio; empty: the sampler's
  std::vector<float> reference_logprobs;  // of the policy that the KL is to; empty: none
  std::vector<float> corrections;         // factors on the tokens' policy loss; empty: 1
  int64_t drawn = 0;                      // tokens that the sampler drew; more than are trained where a filter masks the completion
  int64_t sample = 0;                     // which of its group's completions
  double reward = 0;
  std::vector<double> parts;              // the reward's, before weights
  double advantage = 0;
  std::vector<double> advantages;         // one a token, where they differ; empty: `advantage` for all
  double token_weight = 0;                // share of each of its tokens in the step's loss
};

struct TrainGroup {
  int64_t group_id = 0;
  std::vector<int32_t> prompt;
  std::vector<TrainSequence> sequences;
  std::vector<int16_t> prompt_routes = {};
  std::vector<at::Tensor> routes = {};  // for routing replay: the experts of its rows in each layer; empty: none
};

// The head rows of one completion, the padding row after an odd one left out.
struct SequenceRange {
  int64_t first = 0, count = 0;
};

struct MicroBatch {
  model::TokenBatch tokens;
  std::vector<SequenceRange> sequences;
  std::vector<at::Tensor> routes;  // the groups', as model::ForwardOptions takes them; empty: none
  // One entry a head row, as the loss takes them: float32 [S], mask bool [S] (padding rows false). reference_logprobs and
  // corrections are undefined where the groups have none.
  at::Tensor sampler_logprobs, old_logprobs, reference_logprobs, corrections, advantages, token_weights, mask;
};

// Rows that a group takes in a batch, padding included.
int64_t rows_of(const TrainGroup& group);

// Ranges [first, end) of groups, each of at most max_tokens rows (or one group).
std::vector<std::pair<size_t, size_t>> split_micro_batches(const std::vector<TrainGroup>& groups, int64_t max_tokens);

// Groups [first, end) as one batch. `inverse_temperature` multiplies the logits, as it did when they were sampled:
// rollout::inverse_temperature of the same parameters. Tokens with lists of kept ids are renormalised over them, as they were
// when sampled, whatever the weights: policy, reference and old log-probabilities alike.
MicroBatch pack(const std::vector<TrainGroup>& groups, size_t first, size_t end, float inverse_temperature);

// Sets each sequence's token_weight: the share of the whole optimizer update, counted once.
//   token_mean: 1 / trained tokens of the step;  seq_mean: 1 / (sequences * own trained tokens);
//   seq_mean_token_sum: 1 / sequences;  constant: 1 / (sequences * constant_length) (Dr. GRPO).
// Sequences without a trained token are not counted. Returns the trained tokens of the step.
int64_t weigh_tokens(std::vector<TrainGroup>& groups, const LossConfig& config);

}  // namespace rl
