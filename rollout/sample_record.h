// One finished completion: written once by the sampler; the unit of the dump, the wire and the trainer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/kept_ids.h"
#include "kernels/rng.h"
#include "kernels/sample_token.h"

namespace rollout {

enum class FinishReason { stop, length, aborted };
const char* name_of(FinishReason reason);

// Tokens [first, first + length) of the completion were chosen by the policy and are trained; others (tool, user) not.
struct TrainedRun {
  int64_t first = 0, length = 0;
};

// What is known of a token when it is drawn.
struct NewToken {
  int32_t token = 0;
  float logprob = 0;
  int64_t policy_version = 0;
  float kept_mass = 1;
  const std::vector<int32_t>& kept;  // ids, ascending; empty: nothing was cut, or the record does not renormalise
};

struct SampleRecord {
  static constexpr int64_t format_version = 3;

  int64_t request_id = 0;
  int64_t prompt_id = 0;      // row of the data
  int64_t group_id = 0;       // new for each draw of a prompt
  int64_t sample_index = 0;   // 0..G-1 within the group
  int64_t request_step = 0;   // training step that asked
  std::vector<int32_t> prompt_tokens;
  int64_t cached_tokens = 0;                // usage: of the prompt's, those that the prefix cache served; no result depends on it
  std::vector<int32_t> tokens;              // end token included when it was sampled
  std::vector<TrainedRun> trained;
  // One per trained token: log softmax(logits / temperature), over the full vocabulary; where `kept` has lists, over those
  // ids alone.
  std::vector<float> logprobs;
  std::vector<int32_t> policy_versions;     // one per trained token
  std::vector<float> kept_mass;             // one per trained token when truncation was on, else empty
  kernels::KeptIds kept;                    // one row per trained token with sampling.renormalise and truncation, else empty
  // Optional, experts of the rows of a mixture: [trained token][moe layer][active] of the row that each token was drawn from, and
  // [prompt token][moe layer][active], which the first sample of a request has for its group.
  std::vector<int16_t> routes, prompt_routes;
  kernels::SamplingParameters sampling;
  kernels::Purpose purpose = kernels::Purpose::train;
  uint64_t seed = 0;
  FinishReason finish = FinishReason::stop;
  std::string stop_text;                    // the stop string that ended it, if any
  std::string source;                       // provenance: "policy", or the teacher's name

  void append(const NewToken& next);        // to every list that has an entry a token; `trained` is the caller's
};

// The tokens from `first` on were chosen by the policy: a run of their own, or the end of the run before them.
void train_from(SampleRecord& record, int64_t first);

}  // namespace rollout
