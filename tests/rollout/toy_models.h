// Three small random models, one of each kind that the transformer has, and requests for them.
#pragma once

#include <map>
#include <utility>

#include "model/parameter_store.h"
#include "model/weight_set.h"
#include "rollout/engine.h"

namespace toy {

inline model::ModelConfig dense() {
  model::ModelConfig c;
  c.vocab_size = 50;
  c.layers = 2;
  c.width = 32;
  c.heads = 4;
  c.key_heads = 2;
  c.head_size = 8;
  c.dense_width = 48;
  c.first_dense_layers = c.layers;
  c.max_positions = 160;
  return c;
}

inline model::ModelConfig gqa_moe() {
  model::ModelConfig c = dense();
  c.family = "qwen3_moe";
  c.query_key_norm = true;
  c.first_dense_layers = 0;
  c.router.experts = 6;
  c.router.active = 2;
  c.expert_width = 24;
  return c;
}

inline model::ModelConfig mla_moe() {
  model::ModelConfig c = dense();
  c.family = "deepseek_v3";
  c.attention = model::Attention::mla;
  c.key_heads = c.head_size = 0;
  c.latent_rank = 16;
  c.nope_size = c.rope_size = c.value_size = 8;
  c.rope_interleaved = true;
  c.first_dense_layers = 1;
  c.router.experts = 6;
  c.router.active = 2;
  c.router.scoring = kernels::RouterConfig::Scoring::sigmoid;
  c.expert_width = 24;
  c.shared_experts = 1;
  return c;
}

inline std::shared_ptr<const model::WeightSet> weights(const model::ModelConfig& config, kernels::Dtype dtype,
                                                       int64_t version = 1, uint64_t seed = 17) {
  model::ParameterStore store(config, false);
  store.init_random(seed, 0.2);
  return model::pack_weights(store, dtype, version);
}

inline rollout::Request request(int64_t id, int64_t prompt_tokens, int64_t samples, int64_t max_new_tokens) {
  rollout::Request r;
  r.id = id;
  r.prompt_id = 1000 + id;
  r.group_id = 100 + id;
  r.step = 3;
  r.seed = 5;
  for (int64_t i = 0; i < prompt_tokens; ++i)
    r.prompt_tokens.push_back(static_cast<int32_t>((7 * id + 3 * i + i * i) % 50));
  r.samples = samples;
  r.max_new_tokens = max_new_tokens;
  return r;
}

using Records = std::map<std::pair<int64_t, int64_t>, rollout::SampleRecord>;  // by request id and sample index

inline std::chrono::steady_clock::time_point never() { return std::chrono::steady_clock::now() + std::chrono::hours(1); }

inline Records collect(rollout::RolloutSource& source) {
  Records records;
  while (auto record = source.next(never())) {
    const auto key = std::make_pair(record->request_id, record->sample_index);
    records[key] = std::move(*record);
  }
  return records;
}

}  // namespace toy
