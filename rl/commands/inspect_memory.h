// What Ponder would need to train or to serve a model, by the plan that training itself makes (rl/memory_plan.h).
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "model/config.h"

namespace rl {

// {"budget", "training": [...], "serving": [...]}; each row has its settings, the parts and the sum, in bytes.
//
// Training: GRPO in bf16, 8 prompts of 8 samples, no reference policy. `total` keeps all activations; `least` runs all blocks
// again in backward, takes the smallest micro-batches and caches one sequence. `fits`: whether `least` is within `budget`.
// Serving: bf16 weights and the cache of sequences of full length.
nlohmann::ordered_json memory_of(const model::ModelConfig& sizes, int64_t budget);

}  // namespace rl
