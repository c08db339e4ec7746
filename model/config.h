// The sizes of the network, and how they map to a Hugging Face config.json.
//
// One transformer whose parts are chosen here: attention {gqa, mla} and feed-forward {dense, moe}. A model born here is
// saved as the family that has its parts: llama (GQA, dense), qwen3_moe (GQA with q/k norm, softmax router, no shared
// experts), deepseek_v3 (MLA, sigmoid router with correction bias, shared experts).
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "kernels/router.h"
#include "kernels/tensor.h"

namespace model {

enum class Attention { gqa, mla };

struct RopeScaling {
  std::string kind = "none";  // none | llama3 | yarn (yarn: config reads it, the table follows in a later issue)
  double factor = 1.0, low_frequency_factor = 1.0, high_frequency_factor = 4.0;
  int64_t original_positions = 8192;
};

struct ModelConfig {
  std::string family = "llama";  // llama | qwen3_moe | deepseek_v3
  int64_t vocab_size = 0;        // rows of the embedding
  int64_t layers = 0, width = 0;
  double norm_eps = 1e-5, latent_norm_eps = 1e-6;
  double rope_theta = 10000.0;
  RopeScaling rope_scaling;
  bool rope_interleaved = false;
  int64_t max_positions = 2048;
  bool tied_embedding = false;

  Attention attention = Attention::gqa;
  int64_t heads = 0;
  int64_t key_heads = 0, head_size = 0;  // GQA
  bool query_key_norm = false;           // GQA: RMSNorm of each head's q and k
  // MLA: latent ranks and the parts of a head. query_rank 0: no query compression.
  int64_t query_rank = 0, latent_rank = 0, nope_size = 0, rope_size = 0, value_size = 0;

  int64_t dense_width = 0;         // hidden size of a dense feed-forward
  int64_t first_dense_layers = 0;  // MoE starts after these; equal to `layers` when the model is dense
  kernels::RouterConfig router;    // router.experts == 0: a dense model
  int64_t expert_width = 0, shared_experts = 0;

  std::vector<int64_t> eos_token_ids;
  int64_t bos_token_id = -1, pad_token_id = -1;

  bool is_moe(int64_t layer) const { return router.experts > 0 && layer >= first_dense_layers; }
  int64_t rotary_size() const { return attention == Attention::mla ? rope_size : head_size; }
  // Elements of one cached position in one layer: MLA keeps latent | rope, GQA keys and values of all key heads.
  int64_t key_width() const { return attention == Attention::mla ? latent_rank + rope_size : key_heads * head_size; }
  int64_t value_width() const { return attention == Attention::mla ? 0 : key_heads * head_size; }
};

// Throws kernels::UsageError naming the field, its value and what would be right (odd sizes, heads that do not divide,
// a combination that no family can hold, ...).
void check(const ModelConfig& config);

// config.json <-> ModelConfig. Old and new spellings are read (rope_scaling / rope_parameters, torch_dtype / dtype);
// both are written. `file` is named in errors; an unsupported family is refused by name with the list of those we have.
ModelConfig config_from_json(const nlohmann::json& json, const std::string& file);
nlohmann::ordered_json config_to_json(const ModelConfig& config, kernels::Dtype dtype);

// Inverse frequencies for the rope table, [rotary_size / 2], with the scaling applied.
std::vector<double> rope_inverse_frequencies(const ModelConfig& config);

}  // namespace model
