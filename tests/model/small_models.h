// Small configs of three families, weights for them, and a tokenizer.
#pragma once

#include <memory>

#include "kernels/tensor.h"
#include "model/config.h"
#include "model/parameter_store.h"
#include "model/tokenizer/tokenizer.h"

namespace golden {

inline model::ModelConfig small_llama() {
  model::ModelConfig c;
  c.vocab_size = 24, c.layers = 2, c.first_dense_layers = 2, c.width = 16, c.dense_width = 32;
  c.heads = 4, c.key_heads = 2, c.head_size = 4;
  c.eos_token_ids = {5}, c.bos_token_id = 1, c.pad_token_id = 0;
  return c;
}

inline model::ModelConfig small_qwen3_moe() {
  auto c = small_llama();
  c.family = "qwen3_moe", c.layers = 3, c.first_dense_layers = 1, c.query_key_norm = true, c.tied_embedding = true;
  c.router.experts = 4, c.router.active = 2, c.expert_width = 8;
  return c;
}

inline model::ModelConfig small_deepseek_v3() {
  auto c = small_llama();
  c.family = "deepseek_v3", c.attention = model::Attention::mla, c.first_dense_layers = 1;
  c.key_heads = 4, c.head_size = 0;
  c.latent_rank = 8, c.nope_size = 4, c.rope_size = 2, c.value_size = 6, c.query_rank = 10;
  c.rope_interleaved = true;
  c.router = {
      .experts = 8, .active = 2, .scoring = kernels::RouterConfig::Scoring::sigmoid, .groups = 2, .groups_kept = 1, .scale = 2.5};
  c.expert_width = 12, c.shared_experts = 1;
  return c;
}

// Whole numbers from -125 to 125, which every float type holds.
inline model::ParameterStore filled(const model::ModelConfig& config) {
  model::ParameterStore store(config, false);
  float* p = kernels::f32(store.master);
  for (int64_t i = 0; i < store.size(); ++i) p[i] = static_cast<float>(i * 37 % 251 - 125);
  return store;
}

inline std::shared_ptr<const model::Tokenizer> characters() {
  return model::Tokenizer::from_json(model::character_tokenizer_json("0123456789+=;", {"<eos>", "<pad>"}), "characters");
}

}  // namespace golden
