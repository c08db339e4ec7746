#include "tests/gates/gate_models.h"

#include "tests/support/random_tensor.h"

namespace gate {
namespace {

using Scoring = kernels::RouterConfig::Scoring;

model::ModelConfig dense(bool tied) {
  model::ModelConfig c;
  c.vocab_size = 50;
  c.layers = 2;
  c.width = 32;
  c.heads = 4;
  c.key_heads = 2;
  c.head_size = 8;
  c.dense_width = 48;
  c.first_dense_layers = c.layers;
  c.max_positions = 128;
  c.tied_embedding = tied;
  return c;
}

model::ModelConfig gqa_moe() {
  model::ModelConfig c = dense(false);
  c.family = "qwen3_moe";
  c.query_key_norm = true;
  c.first_dense_layers = 0;
  c.router.experts = 6;
  c.router.active = 2;
  c.expert_width = 20;
  return c;
}

model::ModelConfig mla_moe() {
  model::ModelConfig c = dense(true);
  c.family = "deepseek_v3";
  c.attention = model::Attention::mla;
  c.key_heads = c.head_size = 0;
  c.latent_rank = 16;
  c.nope_size = 8;
  c.rope_size = 6;
  c.value_size = 10;
  c.rope_interleaved = true;
  c.first_dense_layers = 0;
  c.router.experts = 6;
  c.router.active = 2;
  c.router.scoring = Scoring::sigmoid;
  c.expert_width = 20;
  c.shared_experts = 1;
  return c;
}

model::ModelConfig compressed_mla_moe() {
  model::ModelConfig c = mla_moe();
  c.tied_embedding = false;
  c.query_rank = 12;
  c.first_dense_layers = 1;
  c.router.experts = 8;
  c.router.active = 3;
  c.router.groups = 4;
  c.router.groups_kept = 2;
  c.router.scale = 1.7;
  c.shared_experts = 2;
  return c;
}

}  // namespace

std::vector<Model> models() {
  return {{"llama", dense(false)},
          {"llama, tied", dense(true)},
          {"qwen3_moe", gqa_moe()},
          {"deepseek_v3", mla_moe()},
          {"deepseek_v3, compressed queries", compressed_mla_moe()}};
}

void fill(model::ParameterStore& store, uint64_t seed) {
  store.init_random(seed, 0.2);
  for (size_t i = 0; i < store.parameters().size(); ++i) {
    const model::Parameter& p = store.parameters()[i];
    if (p.init == model::Parameter::Init::normal) continue;
    float* x = store.master_of(p.name);
    testing::fill_normal(x, p.size, seed + 1000 + i, 0.15f);
    if (p.init == model::Parameter::Init::ones)
      for (int64_t k = 0; k < p.size; ++k) x[k] += 1.0f;
  }
}

std::shared_ptr<const model::WeightSet> fresh_weights(const model::ModelConfig& config, kernels::Dtype dtype, uint64_t seed) {
  model::ParameterStore store(config, false);
  fill(store, seed);
  return model::pack_weights(store, dtype, 1);
}

}  // namespace gate
