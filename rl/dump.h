// All samples of a step, one JSON line each, for people and for later use as data.
#pragma once

#include <string>
#include <vector>

#include "rl/collect.h"

namespace rl {

// Writes RUN/rollouts/STAGE-000012.jsonl: the sample record (tokens, log-probabilities, versions, sampling), its text, and
// status, reward, components and detail of its outcome. Written whole or not at all.
void dump_rollouts(const std::string& run_directory, const std::string& stage, int64_t step, const std::vector<Group>& groups,
                   const model::Tokenizer& tokenizer);

}  // namespace rl
