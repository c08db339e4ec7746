// One finished completion: written once by the sampler; the unit of the dump, the wire and the trainer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/rng.h"
#include "kernels/sample_token.h"

namespace rollout {

enum class FinishReason { stop, length, aborted };
const char* name_of(FinishReason reason);

// Tokens [first, first + length) of the completion were chosen by the policy and are trained; others (tool, user) not.
struct TrainedRun {
  int64_t first = 0, length = 0;
};

struct SampleRecord {
  static constexpr int64_t format_version = 2;

  int64_t request_id = 0;
  int64_t prompt_id = 0;      // row of the data
  int64_t group_id = 0;       // new for each draw of a prompt
  int64_t sample_index = 0;   // 0..G-1 within the group
  int64_t request_step = 0;   // training step that asked
  std::vector<int32_t> prompt_tokens;
  int64_t cached_tokens = 0;                // usage: of the prompt's, those that the prefix cache served; no result depends on it
  std::vector<int32_t> tokens;              // end token included when it was sampled
  std::vector<TrainedRun> trained;
  std::vector<float> logprobs;              // one per trained token: log softmax(logits / temperature), full vocabulary
  std::vector<int32_t> policy_versions;     // one per trained token
  std::vector<float> kept_mass;             // one per trained token when truncation was on, else empty
  std::vector<int16_t> routes;              // optional: [trained token][moe layer][active]
  kernels::SamplingParameters sampling;
  kernels::Purpose purpose = kernels::Purpose::train;
  uint64_t seed = 0;
  FinishReason finish = FinishReason::stop;
  std::string stop_text;                    // the stop string that ended it, if any
  std::string source;                       // provenance: "policy", or the teacher's name
};

// The tokens from `first` on were chosen by the policy: a run of their own, or the end of the run before them.
void train_from(SampleRecord& record, int64_t first);

}  // namespace rollout
