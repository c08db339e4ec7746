// mixtral and olmoe: experts in every layer, whose hidden size is intermediate_size.
#include "model/families/common_json.h"
#include "model/families/readers.h"

namespace model {

using nlohmann::ordered_json;

static void read_experts(const JsonFields& f, const char* key, const char* other_key, int64_t experts, int64_t active,
                         ModelConfig& c) {
  c.router.experts = size_field(f, f.find(key) ? key : other_key, experts);
  c.router.active = size_field(f, "num_experts_per_tok", active);
  c.expert_width = c.dense_width;
  c.dense_width = 0;
  c.first_dense_layers = 0;
}

void read_mixtral(const JsonFields& f, ModelConfig& c) {
  read_heads(f, 8, 0, c);
  refuse_unless(f, "attention_bias", {false});
  read_one_window(f, 0, c);
  read_experts(f, "num_local_experts", "num_experts", 8, 2, c);  // router_jitter_noise is for pretraining alone
}

void write_mixtral(const ModelConfig& c, ordered_json& j) {
  j["intermediate_size"] = c.expert_width;
  j["num_local_experts"] = c.router.experts;
  j["num_experts_per_tok"] = c.router.active;
  j["sliding_window"] = number_or_null(c.window);
  j["router_jitter_noise"] = 0.0;
  j["output_router_logits"] = false;
  j["router_aux_loss_coef"] = 0.0;
}

void read_olmoe(const JsonFields& f, ModelConfig& c) {
  read_heads(f, 0, 0, c);
  read_attention_bias(f, c);
  refuse_other_layer_types(f, c);
  c.whole_query_key_norm = true;
  c.clip_qkv = f.number("clip_qkv", 0.0);
  if (f.find("clip_qkv") && !(c.clip_qkv > 0)) f.wrong("clip_qkv", "a number above 0, or null");
  read_experts(f, "num_experts", "num_local_experts", 64, 8, c);
  c.router.normalize = f.boolean("norm_topk_prob", false);
}

void write_olmoe(const ModelConfig& c, ordered_json& j) {
  j["attention_bias"] = c.query_key_value_bias;
  j["clip_qkv"] = number_or_null(c.clip_qkv);
  j["intermediate_size"] = c.expert_width;
  j["num_experts"] = c.router.experts;
  j["num_experts_per_tok"] = c.router.active;
  j["norm_topk_prob"] = c.router.normalize;
  j["output_router_logits"] = false;
  j["router_aux_loss_coef"] = 0.0;
}

}  // namespace model
