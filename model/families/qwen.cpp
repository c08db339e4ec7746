// qwen2 (Qwen2, Qwen2.5, the R1 distills of them), qwen3 and qwen3_moe.
#include <algorithm>

#include "kernels/error.h"
#include "model/families/common_json.h"
#include "model/families/readers.h"

namespace model {

using nlohmann::ordered_json;

void read_qwen2(const JsonFields& f, ModelConfig& c) {
  read_heads(f, 32, 0, c);
  c.query_key_value_bias = true;  // whatever the file says: transformers has no key for it
  read_switched_window(f, /*all_layers=*/false, c);
}

void write_qwen2(const ModelConfig& c, ordered_json& j) { write_switched_window(c, /*all_layers=*/false, j); }

void read_qwen3(const JsonFields& f, ModelConfig& c) {
  read_heads(f, 32, 128, c);
  read_attention_bias(f, c);
  c.query_key_norm = true;
  read_switched_window(f, /*all_layers=*/false, c);
}

void write_qwen3(const ModelConfig& c, ordered_json& j) {
  j["attention_bias"] = c.query_key_value_bias;
  write_switched_window(c, /*all_layers=*/false, j);
}

// Layer i has experts when (i + 1) % decoder_sparse_step == 0 and mlp_only_layers does not name it.
static void read_dense_layers(const JsonFields& f, ModelConfig& c) {
  c.moe_every = size_field(f, "decoder_sparse_step", 1);
  auto dense = read_ids(f, "mlp_only_layers");
  std::sort(dense.begin(), dense.end());
  dense.erase(std::unique(dense.begin(), dense.end()), dense.end());
  c.first_dense_layers = 0;
  for (const int64_t layer : dense) {
    if (layer >= c.layers) f.wrong("mlp_only_layers", fmt::format("layers from 0 to {}", c.layers - 1));
    if (layer == c.first_dense_layers)
      ++c.first_dense_layers;
    else
      c.dense_layers.push_back(layer);
  }
}

void read_qwen3_moe(const JsonFields& f, ModelConfig& c) {
  read_heads(f, 4, 0, c);
  read_attention_bias(f, c);
  c.query_key_norm = true;
  read_switched_window(f, /*all_layers=*/true, c);
  c.router.experts = size_field(f, f.find("num_experts") ? "num_experts" : "num_local_experts", 128);
  c.router.active = size_field(f, "num_experts_per_tok", 8);
  c.router.normalize = f.boolean("norm_topk_prob", false);
  c.expert_width = size_field(f, "moe_intermediate_size", 768);
  read_dense_layers(f, c);
}

void write_qwen3_moe(const ModelConfig& c, ordered_json& j) {
  std::vector<int64_t> dense;
  for (int64_t i = 0; i < c.first_dense_layers; ++i) dense.push_back(i);
  dense.insert(dense.end(), c.dense_layers.begin(), c.dense_layers.end());
  j["attention_bias"] = c.query_key_value_bias;
  j["num_experts"] = c.router.experts;
  j["num_experts_per_tok"] = c.router.active;
  j["moe_intermediate_size"] = c.expert_width;
  j["norm_topk_prob"] = c.router.normalize;
  j["decoder_sparse_step"] = c.moe_every;
  j["mlp_only_layers"] = dense;
  j["output_router_logits"] = false;
  j["router_aux_loss_coef"] = 0.0;
  write_switched_window(c, /*all_layers=*/true, j);
}

}  // namespace model
