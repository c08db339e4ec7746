// A source of samples with known output, for tests of what stands above it: no model, no weights.
#pragma once

#include <deque>
#include <functional>

#include "rollout/source.h"

namespace rollout {

// What the script says for one sample, the whole of it: one that goes on takes what follows the tokens it has. The rest of
// the record is filled from the request. A sample that is aborted comes back with the tokens that it came with.
struct ScriptedSample {
  std::vector<int32_t> tokens;
  std::vector<float> logprobs;  // one a token
  FinishReason finish = FinishReason::stop;
};

// Samples come back in the order of submission, each group in ascending sample index.
class ScriptedEngine : public RolloutSource {
 public:
  using Script = std::function<ScriptedSample(const Request& request, int64_t sample_index)>;
  explicit ScriptedEngine(Script script) : script_(std::move(script)) {}

  void submit(Request request) override;
  std::optional<SampleRecord> next(std::chrono::steady_clock::time_point deadline) override;
  void abort(int64_t request_id) override;
  void publish(std::shared_ptr<const model::WeightSet> weights) override { newest_ = std::move(weights); }
  SourceStatistics statistics() const override { return statistics_; }
  int64_t live_samples() const override;

  const std::shared_ptr<const model::WeightSet>& newest_weights() const { return newest_; }

 private:
  struct Live {
    Request request;
    int64_t sample = 0;  // next one
    bool aborted = false;
  };

  SampleRecord begin(const Live& live) const;

  Script script_;
  std::deque<Live> live_;
  std::shared_ptr<const model::WeightSet> newest_;
  SourceStatistics statistics_;
};

}  // namespace rollout
