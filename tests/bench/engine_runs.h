// Timed runs of the rollout engine, for engine_bench.
#pragma once

#include <memory>

#include "model/weight_set.h"
#include "rollout/engine.h"
#include "tests/bench/bench.h"

namespace bench {

// Groups of samples that do not end before their last token; every prompt is new, so no cache knows it.
struct Load {
  int64_t prompts = 1, samples = 1, prompt_tokens = 64, new_tokens = 128;
};

// An engine that stays warm from run to run.
class Runner {
 public:
  explicit Runner(std::shared_ptr<const model::WeightSet> weights, int64_t cache_bytes = int64_t{1} << 30);
  double seconds(const Load& load, int64_t new_tokens);  // of one run with another count of new tokens
  // Seconds of load.new_tokens decode steps: a run of one token more, less its passes over the prompts.
  double decode_seconds(const Load& load);
  double prompt_seconds(const Load& load) { return seconds(load, 1); }
  rollout::SourceStatistics statistics() const { return engine_.statistics(); }
  std::vector<rollout::SampleRecord> records(const Load& load, int64_t new_tokens);

 private:
  std::shared_ptr<const model::WeightSet> weights_;
  rollout::Engine engine_;
  int64_t next_id_ = 1;
};

std::shared_ptr<const model::WeightSet> read_weight_set(const std::string& folder, kernels::Dtype dtype);
std::shared_ptr<const model::WeightSet> born_weights(const model::ModelConfig& config, kernels::Dtype dtype);
// A dense GQA model of these sizes; toy-size parts of it are changed by the curves.
model::ModelConfig small_model(int64_t layers, int64_t width, int64_t vocab);

double parameters_of(const model::WeightSet& weights);  // elements that a token's forward pass multiplies, without experts
// Seconds of one decode step of B sequences over `context` cached tokens each, as section "generation" prints it.
double roofline_seconds(const model::WeightSet& weights, const Peaks& peaks, int64_t sequences, double context);

// Sampler and trainer give one text the same log-probabilities, bit for bit; ends the program if not.
void check_engine(const std::shared_ptr<const model::WeightSet>& weights);

void generation(Report& report, const std::shared_ptr<const model::WeightSet>& weights, const Peaks& peaks,
                const std::vector<int64_t>& sequences, int64_t new_tokens);
void prompt(Report& report, const std::shared_ptr<const model::WeightSet>& weights, const Peaks& peaks, int64_t tokens);
void curves(Report& report, const std::shared_ptr<const model::WeightSet>& weights, const Peaks& peaks, bool quick);

}  // namespace bench
