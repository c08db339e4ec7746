// One budget for weights, optimizer, cache and activations, planned before anything is loaded.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "rl/config.h"

namespace rl {

// Sizes in bytes. One plan serves the whole run: the most that any stage asks for.
struct MemoryPlan {
  int64_t budget = 0;
  int64_t program = 0;      // code, libraries, buffers of the allocator
  int64_t parameters = 0;   // count, of the model
  int64_t trained = 0;      // of them, or of an adapter
  int64_t master = 0;       // float32 weights; 0 where they are offloaded
  int64_t gradient = 0;     // float32
  int64_t moments = 0;      // AdamW's two, float32; likewise
  int64_t offloaded = 0;    // bytes of both in a file, with model.offload_folder
  int64_t window = 0;       // of them in memory at a time
  int64_t weights = 0;      // packed compute weights of the policy
  int64_t adapter = 0;      // of them, those of a LoRA adapter; 0: none
  int64_t stale = 0;        // packed weights of older steps, with rollout.max_staleness_steps
  int64_t reference = 0;    // packed and master weights of the reference policy, when kl.coef > 0
  int64_t cache = 0;        // keys and values while sampling
  int64_t sampling = 0;     // of the largest batch, beside the cache
  int64_t activations = 0;  // of the largest micro-batch, while training, with the head's buffers
  int64_t recomputed_blocks = 0;  // the first so many run again in the backward pass
  int64_t layers = 0;
  int64_t cache_bytes_per_token = 0, activation_bytes_per_row = 0;
  int64_t cache_tokens = 0;         // rows that the cache holds
  int64_t wanted_cache_tokens = 0;  // all sequences that may run at once, at full length
  int64_t sequence_tokens = 0;      // the longest sequence, in whole pages: the cache holds at least one
  int64_t microbatch_rows = 0;  // at most optimizer.max_tokens_per_microbatch and one group; fewer where memory is short
  int64_t step_rows = 0, group_rows = 0, sampled_rows = 0;  // most of a step, of a group, of a batch while sampling
  std::string stage;        // the one with the largest micro-batch
  std::string error;        // empty, or "section.key: what does not fit. how to fix it"

  // Cache and activations take turns, unless a stage samples beside training.
  bool together = false;
  int64_t fixed() const { return program + master + gradient + moments + window + weights + stale + reference; }
  int64_t most_of(int64_t samples, int64_t trains) const { return together ? samples + trains : std::max(samples, trains); }
  int64_t total() const { return fixed() + most_of(cache + sampling, activations); }
};

// Never throws for a budget that is too small: `error` says so. Reads config.json of a model that is not born here.
MemoryPlan plan_memory(const Config& config);

// The sizes of the model that the config names: born here, or read from its config.json.
model::ModelConfig model_sizes(const Config& config);
int64_t machine_memory_bytes();  // the smaller of physical memory and the control group's limit

std::string memory_table(const MemoryPlan& plan);  // for people, one line a part

}  // namespace rl
