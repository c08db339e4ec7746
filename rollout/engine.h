// The local engine: requests in, samples out, on this process's weights.
//
// A sample's tokens and log-probabilities depend on its request and weights alone, bit for bit: not on the other
// requests, chunk size, budgets, preemption or threads. One thread calls it; the kernels use the pool.
#pragma once

#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "model/flops.h"
#include "model/token_batch.h"
#include "model/tokenizer/tokenizer.h"
#include "rollout/kv_cache.h"
#include "rollout/prefix_cache.h"
#include "rollout/route_pages.h"
#include "rollout/sampler.h"
#include "rollout/scheduler.h"
#include "rollout/source.h"

namespace rollout {

struct EngineConfig {
  int64_t max_tokens_per_batch = 4096;      // rows of one forward pass
  int64_t max_sequences = 512;              // sequences that run at once
  int64_t cache_bytes = int64_t{1} << 30;   // keys and values never take more
  int64_t prefill_chunk = 512;              // most rows of one sequence in one forward pass
  int64_t logits_bytes = int64_t{32} << 20; // logits are made for as many rows at a time (at least one)
  // false: a request keeps the weights that it started with. true: requests without weights of their own go on with
  // newly published ones; their cache is computed again, and their tokens carry different versions.
  bool update_running = false;
  // Prompts that begin alike, at once or one after the other, compute what they share once for each weight set.
  bool prefix_cache = true;
  // Records of training samples get the experts of their rows, for replay. They lie beside the keys, within cache_bytes.
  bool record_routes = false;
};

class Engine : public RolloutSource, private Prefixes {
 public:
  // All weights given later must have these sizes and dtype. `tokenizer` may be null while no request has stop strings.
  // Throws UsageError for a budget that holds nothing.
  Engine(const model::ModelConfig& model, kernels::Dtype dtype, const EngineConfig& config,
         std::shared_ptr<const model::Tokenizer> tokenizer);
  ~Engine() override;

  // Throws Error for an empty prompt, a token outside of the vocabulary or an id that is live, UsageError for a sample
  // that cannot fit in the cache or in the model's positions.
  void submit(Request request) override;
  std::optional<SampleRecord> next(std::chrono::steady_clock::time_point deadline) override;
  void abort(int64_t request_id) override;  // an id that is not live is ignored
  // Null: the engine lets go of the newest version, so that its storage can be written over. Requests without weights
  // of their own then need another publish() before next(). Prefixes computed with the version before are forgotten.
  void publish(std::shared_ptr<const model::WeightSet> weights) override;
  SourceStatistics statistics() const override;
  int64_t live_samples() const override { return live_samples_; }

  int64_t cache_bytes() const { return cache_.bytes(); }
  // Gives the cache's memory back until the next forward pass. Throws Error while a sequence uses it.
  void release_cache();

 private:
  struct LiveSample;
  struct Live;
  struct Asked;

  void find(const Group& group, int64_t from, int64_t end, std::vector<int32_t>& found) override;
  void add(const Group& group, int64_t end, const std::vector<int32_t>& pages) override;
  const std::shared_ptr<const model::WeightSet>& weights_of(const Live& live) const;

  void check(const Request& request) const;
  void check(const model::WeightSet& weights) const;
  void read_tail(const Live& live, LiveSample& sample) const;
  const std::string* find_stop(const Live& live, LiveSample& sample, int32_t token) const;
  void step();
  void choose_weights(const Plan& plan);
  void run(const Plan& plan, const std::shared_ptr<const model::WeightSet>& weights);
  void add_rows(const Work& work);
  void ask_for_draws(const Work& work);
  void draw(const at::Tensor& hidden, const model::WeightSet& weights, double& head_seconds);
  void add_routes(const Asked& asked);
  void accept(const Asked& asked, const Draw& draw, int64_t version);
  void finish(Live& live, int64_t sample, FinishReason reason);

  model::ModelConfig model_;
  kernels::Dtype dtype_;
  EngineConfig config_;
  std::shared_ptr<const model::Tokenizer> tokenizer_;
  KvCache cache_;
  std::unique_ptr<RoutePages> route_pages_;  // null: routes are not recorded
  PrefixCache prefix_cache_;
  Scheduler scheduler_;
  std::shared_ptr<const model::WeightSet> newest_;
  std::unordered_map<int64_t, std::unique_ptr<Live>> live_;
  std::vector<std::unique_ptr<Live>> retired_;  // finished in this step
  std::deque<SampleRecord> finished_;
  int64_t live_samples_ = 0;
  int64_t without_weights_ = 0;  // live requests that have not begun and name no weights
  model::FlopCounter flops_;
  SourceStatistics statistics_;

  // Buffers of one step, kept for the next.
  model::TokenBatch batch_;
  std::vector<std::shared_ptr<const model::WeightSet>> weights_;
  std::vector<Asked> asked_;
  std::vector<Draw> draws_;
  std::vector<at::Tensor> routes_;
};

}  // namespace rollout
