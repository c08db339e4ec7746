// moe.replay = "rollout": the experts that the sampler recorded, as the trainer's routes.
#pragma once

#include "rl/batch.h"

namespace rl {

// Fills each group's `routes` from its prompt_routes and its sequences' routes: row p of the prompt, and for token t the row that
// reads it, which drew token t + 1. Padding rows get experts that nobody uses. A dense model is left alone. Throws kernels::Error,
// naming the group, when a row has no recorded routes or ones of another model.
void replay_rollout_routes(std::vector<TrainGroup>& groups, const model::ModelConfig& config);

}  // namespace rl
