// All samples of a step on disk: one JSON line each, for people and for later use as data, and the sample records as bytes,
// from which the step can be trained again.
#pragma once

#include <string>
#include <vector>

#include "rl/batch.h"
#include "rl/collect.h"

namespace rl {

// One advantage a sample, in the order of the groups; NaN: it took no part in the update (no value, or a dropped group).
using Advantages = std::vector<std::vector<double>>;
// `trained`: what the step trains on, made of some of `groups` and some of their samples.
Advantages advantages_of(const std::vector<Group>& groups, const std::vector<TrainGroup>& trained);

// RUN/rollouts/STAGE-000012, without an ending.
std::string rollout_path(const std::string& run_directory, const std::string& stage, int64_t step);

// Writes PATH.jsonl (the sample record: tokens, log-probabilities, versions, sampling; its text; status, reward, components,
// reason and detail of its outcome; its advantage) and PATH.records (rollout/record_io.h). Each whole or not at all.
void dump_rollouts(const std::string& run_directory, const std::string& stage, int64_t step, const std::vector<Group>& groups,
                   const Advantages& advantages, const model::Tokenizer& tokenizer);

}  // namespace rl
