// Where samples come from. The local engine is one source; remote workers are others. rl/train.cpp sees nothing else.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/weight_set.h"
#include "rollout/sample_record.h"

namespace rollout {

// Ask for `samples` completions of one prompt: a group.
struct Request {
  int64_t id = 0;  // chosen by the caller, unique among live requests
  int64_t prompt_id = 0, group_id = 0, step = 0;
  std::vector<int32_t> prompt_tokens;
  int64_t samples = 1;
  int64_t first_sample = 0;  // index of the first one, for random numbers and the record
  int64_t max_new_tokens = 16;
  kernels::SamplingParameters sampling;
  std::vector<int32_t> stop_tokens;       // ends the completion; the token is part of it
  std::vector<std::string> stop_strings;  // found across token borders; the tokens that hold it stay in the record
  uint64_t seed = 0;
  kernels::Purpose purpose = kernels::Purpose::train;
  // The weights that sample it; null: the newest published when it is admitted.
  std::shared_ptr<const model::WeightSet> weights;
  // Samples that go on: each as it came back aborted, with this request's prompt, step, group, seed and sampling. They are
  // then the request's samples, with the sample indices that they carry; `samples` and `first_sample` are not looked at.
  // Going on under equal weights gives the bits of one go; under others the new tokens carry the new version.
  std::vector<SampleRecord> continued;
};

// Counters since the source was made.
struct SourceStatistics {
  int64_t prompt_tokens = 0;      // prompt rows computed (a group's prompt counts once)
  int64_t cached_tokens = 0;      // prompt rows that were there already, computed for another prompt
  int64_t generated_tokens = 0;
  int64_t recomputed_tokens = 0;  // rows computed again: after a preemption, or of samples that go on
  int64_t preemptions = 0;
  int64_t shared_prefills = 0;    // samples that forked from a prompt computed for another
  int64_t prefill_chunks = 0;
  int64_t steps = 0;              // forward passes
  int64_t largest_batch = 0;      // most sequences in one forward pass
  double flops = 0;               // of the forward passes, as model/flops.h counts them
  double seconds = 0;
  // Of these, the forward passes (logits included) and the draws. A pass over prompts and new tokens shares its time by rows.
  double prefill_seconds = 0, decode_seconds = 0, draw_seconds = 0;
};

class RolloutSource {
 public:
  virtual ~RolloutSource() = default;

  virtual void submit(Request request) = 0;
  // The next finished sample, or nothing: at the deadline, or when no request is live.
  virtual std::optional<SampleRecord> next(std::chrono::steady_clock::time_point deadline) = 0;
  // Ends all samples of a request; those not finished come back with FinishReason::aborted.
  virtual void abort(int64_t request_id) = 0;
  virtual void publish(std::shared_ptr<const model::WeightSet> weights) = 0;
  virtual SourceStatistics statistics() const = 0;
  virtual int64_t live_samples() const = 0;
};

}  // namespace rollout
