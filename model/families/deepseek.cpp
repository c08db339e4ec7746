// deepseek_v2 (V2, V2-Lite) and deepseek_v3 (V3, R1, Moonlight).
#include "kernels/error.h"
#include "model/families/common_json.h"
#include "model/families/readers.h"

namespace model {

using nlohmann::ordered_json;
using Router = kernels::RouterConfig;

namespace {

void read_mla(const JsonFields& f, ModelConfig& c) {
  c.attention = Attention::mla;
  c.key_heads = c.heads;
  c.query_rank = size_or_null(f, "q_lora_rank", 1536);
  c.latent_rank = size_field(f, "kv_lora_rank", 512);
  c.nope_size = size_field(f, "qk_nope_head_dim", 128);
  c.rope_size = size_field(f, "qk_rope_head_dim", 64);
  c.value_size = size_field(f, "v_head_dim", 128);
  read_attention_bias(f, c);
  refuse_unless(f, "moe_layer_freq", {1});
  refuse_other_layer_types(f, c);
}

// False when no layer has experts.
bool read_experts(const JsonFields& f, int64_t first_dense, int64_t experts, int64_t shared, int64_t width, ModelConfig& c) {
  c.first_dense_layers = f.integer("first_k_dense_replace", 0, kLargestSize, first_dense);
  if (c.first_dense_layers >= c.layers) {
    c.first_dense_layers = c.layers;
    return false;
  }
  c.router.experts = size_field(f, f.find("n_routed_experts") ? "n_routed_experts" : "num_local_experts", experts);
  c.shared_experts = f.integer("n_shared_experts", 0, 1024, shared);
  c.expert_width = size_field(f, "moe_intermediate_size", width);
  return true;
}

void write_mla(const ModelConfig& c, ordered_json& j) {
  const bool moe = c.router.experts > 0;
  j["attention_bias"] = c.query_key_value_bias;
  j["q_lora_rank"] = number_or_null(c.query_rank);
  j["kv_lora_rank"] = c.latent_rank;
  j["qk_nope_head_dim"] = c.nope_size;
  j["qk_rope_head_dim"] = c.rope_size;
  j["v_head_dim"] = c.value_size;
  j["first_k_dense_replace"] = moe ? c.first_dense_layers : c.layers;
  j["moe_layer_freq"] = 1;
  j["n_routed_experts"] = moe ? c.router.experts : 1;
  j["num_experts_per_tok"] = moe ? c.router.active : 1;
  j["n_shared_experts"] = moe ? c.shared_experts : 1;
  j["moe_intermediate_size"] = moe ? c.expert_width : c.dense_width;
  j["n_group"] = c.router.groups;
  j["topk_group"] = c.router.groups_kept;
  j["routed_scaling_factor"] = c.router.scale;
}

}  // namespace

void read_deepseek_v2(const JsonFields& f, ModelConfig& c) {
  refuse_unless(f, "scoring_func", {"softmax"});
  refuse_unless(f, "topk_method", {"greedy", "group_limited_greedy"});
  read_mla(f, c);
  c.feed_forward_bias = f.boolean("mlp_bias", false);
  c.rope_interleaved = true;
  if (!read_experts(f, 0, 64, 2, 1407, c)) return;
  c.router.active = size_field(f, "num_experts_per_tok");
  c.router.group_score = Router::GroupScore::largest;
  if (f.string("topk_method", "greedy") == "group_limited_greedy") {
    c.router.groups = size_field(f, "n_group");
    c.router.groups_kept = size_field(f, "topk_group");
  }
  c.router.normalize = false;  // whatever norm_topk_prob says: transformers' code does not look at it
  c.router.scale = f.number("routed_scaling_factor", 1.0);
}

void write_deepseek_v2(const ModelConfig& c, ordered_json& j) {
  write_mla(c, j);
  j["mlp_bias"] = c.feed_forward_bias;
  j["scoring_func"] = "softmax";
  j["topk_method"] = c.router.groups > 1 ? "group_limited_greedy" : "greedy";
  j["norm_topk_prob"] = false;
}

void read_deepseek_v3(const JsonFields& f, ModelConfig& c) {
  refuse_unless(f, "scoring_func", {"sigmoid"});
  refuse_unless(f, "topk_method", {"noaux_tc"});
  refuse_unless(f, "mlp_bias", {false});
  read_mla(f, c);
  c.rope_interleaved = true_or_null(f, "rope_interleave", true);
  if (!read_experts(f, 3, 256, 1, 2048, c)) return;
  c.router.scoring = Router::Scoring::sigmoid;
  c.router.active = size_field(f, "num_experts_per_tok", 8);
  c.router.groups = f.absent("n_group") ? 8 : size_field(f, "n_group");
  c.router.groups_kept = f.absent("topk_group") ? 4 : size_field(f, "topk_group");
  c.router.normalize = true_or_null(f, "norm_topk_prob", true);
  c.router.scale = f.number("routed_scaling_factor", 2.5);
}

void write_deepseek_v3(const ModelConfig& c, ordered_json& j) {
  write_mla(c, j);
  j["rope_interleave"] = c.rope_interleaved;
  j["scoring_func"] = "sigmoid";
  j["topk_method"] = "noaux_tc";
  j["norm_topk_prob"] = c.router.normalize;
  j["num_nextn_predict_layers"] = 0;
}

}  // namespace model
