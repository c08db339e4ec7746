// The sizes of the network, and how they map to a Hugging Face config.json.
//
// One transformer whose parts are chosen here: attention {gqa, mla} and feed-forward {dense, moe}. Each family of open
// checkpoints is a choice of parts; families/ says which. A model born here may be any of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "kernels/dtype.h"
#include "kernels/router_config.h"

namespace model {

enum class Attention { gqa, mla };

struct RopeScaling {
  std::string kind = "none";  // none | linear | llama3 | yarn
  double factor = 1.0, low_frequency_factor = 1.0, high_frequency_factor = 4.0;
  int64_t original_positions = 8192;
  // yarn, arXiv:2309.00071; 0: not given by the checkpoint. mscale_all_dim counts for MLA's scores with every kind.
  double beta_fast = 32.0, beta_slow = 1.0, mscale = 0.0, mscale_all_dim = 0.0, attention_factor = 0.0;
  bool truncate = true;  // the ramp's ends are rounded outward to whole dimensions
};

struct ModelConfig {
  std::string family = "llama";  // model_type of config.json: llama, mistral, qwen2, qwen3, qwen3_moe, ... (families/)
  int64_t vocab_size = 0;        // rows of the embedding
  int64_t layers = 0, width = 0;
  double norm_eps = 1e-5, latent_norm_eps = 1e-6;  // CONVENTIONS.md, "Latent-norm eps"
  double rope_theta = 10000.0;
  RopeScaling rope_scaling;
  bool rope_interleaved = false;
  int64_t max_positions = 2048;
  bool tied_embedding = false;

  Attention attention = Attention::gqa;
  int64_t heads = 0;
  int64_t key_heads = 0, head_size = 0;  // GQA
  bool query_key_norm = false;           // GQA: RMSNorm of each head's q and k
  bool whole_query_key_norm = false;     // of all heads of a row together instead (OLMoE)
  double clip_qkv = 0.0;                 // GQA: q, k and v are clamped to +- this before rope; 0: not (OLMoE)
  // Biases. MLA: of the two down projections (query only when compressed) and of the output. Feed-forward: of the dense
  // layers and the shared experts.
  bool query_key_value_bias = false, output_bias = false, feed_forward_bias = false;
  int64_t window = 0;                    // keys that a row sees, itself included; 0: all before it (Mistral)
  std::vector<int64_t> full_layers;      // layers without the window, when there is one
  // MLA: latent ranks and the parts of a head. query_rank 0: no query compression.
  int64_t query_rank = 0, latent_rank = 0, nope_size = 0, rope_size = 0, value_size = 0;

  int64_t dense_width = 0;         // hidden size of a dense feed-forward
  int64_t first_dense_layers = 0;  // MoE starts after these; equal to `layers` when the model is dense
  int64_t moe_every = 1;               // after them, layer i has experts when (i + 1) % moe_every == 0 (Qwen3-MoE)
  std::vector<int64_t> dense_layers;   // further layers without experts, ascending
  kernels::RouterConfig router;    // router.experts == 0: a dense model
  int64_t expert_width = 0, shared_experts = 0;

  std::vector<int64_t> eos_token_ids;
  int64_t bos_token_id = -1, pad_token_id = -1;

  bool is_moe(int64_t layer) const {
    return router.experts > 0 && layer >= first_dense_layers && (layer + 1) % moe_every == 0 &&
           !std::binary_search(dense_layers.begin(), dense_layers.end(), layer);
  }
  int64_t window_of(int64_t layer) const {
    return std::binary_search(full_layers.begin(), full_layers.end(), layer) ? 0 : window;
  }
  bool norms_query_and_key() const { return query_key_norm || whole_query_key_norm; }
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

}  // namespace model
