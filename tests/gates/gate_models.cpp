#include "tests/gates/gate_models.h"

#include "model/lora/adapted_weights.h"
#include "tests/support/random_tensor.h"

namespace gate {
namespace {

using Scoring = kernels::RouterConfig::Scoring;
using GroupScore = kernels::RouterConfig::GroupScore;

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

model::ModelConfig llama_with_biases() {
  model::ModelConfig c = dense(false);
  c.query_key_value_bias = c.output_bias = c.feed_forward_bias = true;
  c.rope_scaling = {
      .kind = "llama3", .factor = 8, .low_frequency_factor = 1, .high_frequency_factor = 4, .original_positions = 64};
  return c;
}

// Windows that begin inside a tile of 16 positions and hide whole tiles.
model::ModelConfig mistral() {
  model::ModelConfig c = dense(false);
  c.family = "mistral";
  c.window = 11;
  return c;
}

model::ModelConfig qwen2() {
  model::ModelConfig c = dense(true);
  c.family = "qwen2";
  c.query_key_value_bias = true;
  c.window = 19;
  c.full_layers = {0};
  c.rope_scaling = {.kind = "linear", .factor = 3};
  return c;
}

// Heads that together are wider than the model; cosines and sines grow.
model::ModelConfig qwen3() {
  model::ModelConfig c = dense(true);
  c.family = "qwen3";
  c.query_key_norm = true;
  c.head_size = 12;
  c.rope_scaling = {.kind = "yarn", .factor = 4, .original_positions = 32};
  return c;
}

model::ModelConfig qwen3_moe() {
  model::ModelConfig c = dense(false);
  c.family = "qwen3_moe";
  c.query_key_norm = true;
  c.first_dense_layers = 0;
  c.router.experts = 6;
  c.router.active = 2;
  c.expert_width = 20;
  return c;
}

// Layers 0, 2 and 3 are dense: experts every second layer, and one of them left out.
model::ModelConfig sparse_qwen3_moe() {
  model::ModelConfig c = qwen3_moe();
  c.layers = 4;
  c.moe_every = 2;
  c.dense_layers = {3};
  return c;
}

model::ModelConfig olmoe() {
  model::ModelConfig c = qwen3_moe();
  c.family = "olmoe";
  c.query_key_norm = false;
  c.whole_query_key_norm = true;
  c.clip_qkv = 1.1;  // a third of the elements of q and k
  c.router.normalize = false;
  return c;
}

model::ModelConfig mixtral() {
  model::ModelConfig c = qwen3_moe();
  c.family = "mixtral";
  c.query_key_norm = false;
  c.window = 23;
  return c;
}

model::ModelConfig deepseek_v3() {
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

// mscale and mscale_all_dim differ, so that cosines and scores are both scaled.
model::ModelConfig full_deepseek_v3() {
  model::ModelConfig c = deepseek_v3();
  c.tied_embedding = false;
  c.query_rank = 12;
  c.query_key_value_bias = c.output_bias = true;
  c.first_dense_layers = 1;
  c.router.experts = 8;
  c.router.active = 3;
  c.router.groups = 4;
  c.router.groups_kept = 2;
  c.router.scale = 1.7;
  c.shared_experts = 2;
  c.rope_scaling = {.kind = "yarn", .factor = 8, .original_positions = 16, .beta_fast = 4, .mscale = 1.0, .mscale_all_dim = 0.6};
  return c;
}

model::ModelConfig deepseek_v2() {
  model::ModelConfig c = deepseek_v3();
  c.family = "deepseek_v2";
  c.tied_embedding = false;
  c.router.scoring = Scoring::softmax;
  c.router.group_score = GroupScore::largest;
  c.router.normalize = false;
  c.shared_experts = 2;
  c.query_key_value_bias = c.output_bias = true;
  c.rope_scaling = {.kind = "yarn", .factor = 4, .original_positions = 32, .mscale = 0.707, .mscale_all_dim = 0.707};
  return c;
}

// Compressed queries, expert groups; no shared expert, which no family has.
model::ModelConfig grouped_deepseek_v2() {
  model::ModelConfig c = deepseek_v2();
  c.query_key_value_bias = c.output_bias = false;
  c.rope_scaling = {};
  c.query_rank = 12;
  c.first_dense_layers = 1;
  c.router.experts = 8;
  c.router.active = 3;
  c.router.groups = 4;
  c.router.groups_kept = 2;
  c.router.scale = 4.0;
  c.shared_experts = 0;
  return c;
}

}  // namespace

std::vector<Model> models() {
  return {{"llama", dense(false)},
          {"llama, tied", dense(true)},
          {"llama, all biases and llama3 scaling", llama_with_biases()},
          {"mistral, window", mistral()},
          {"qwen2, biases, window in one layer, linear scaling", qwen2()},
          {"qwen3, yarn", qwen3()},
          {"qwen3_moe", qwen3_moe()},
          {"qwen3_moe, experts in few layers", sparse_qwen3_moe()},
          {"olmoe, clip", olmoe()},
          {"mixtral, window", mixtral()},
          {"deepseek_v2, greedy, yarn, biases", deepseek_v2()},
          {"deepseek_v2, groups, no shared expert", grouped_deepseek_v2()},
          {"deepseek_v3", deepseek_v3()},
          {"deepseek_v3, compressed queries, groups, yarn, biases", full_deepseek_v3()}};
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

Adapted::Adapted(const model::ModelConfig& config, kernels::Dtype dtype, uint64_t seed, bool with_training)
    : base(fresh_weights(config, dtype, seed)), pairs(model::adapter_parameters(config, lora), with_training) {
  model::init_adapters(pairs, lora.rank, seed);
  for (size_t i = 0; i < pairs.parameters().size(); ++i) {
    const model::Parameter& p = pairs.parameters()[i];
    if (p.init != model::Parameter::Init::zeros) continue;
    float* b = pairs.master_of(p.name);
    testing::fill_normal(b, p.size, seed + 2000 + i, 0.2f);
    for (int64_t k = lora.rank; k < p.size; k += lora.rank + 1) b[k] = 0;  // the padding of an odd rank
  }
  weights = model::adapted_weights(*base, pairs, lora.scale(), 1);
}

}  // namespace gate
