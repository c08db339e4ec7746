// config.json <-> ModelConfig.
#include <algorithm>

#include "kernels/error.h"
#include "model/config.h"
#include "model/files/json_fields.h"

namespace model {

using kernels::fail_usage;
using nlohmann::json;
using nlohmann::ordered_json;
using Scoring = kernels::RouterConfig::Scoring;

namespace {

constexpr int64_t kLargest = int64_t{1} << 24;

int64_t size_field(const JsonFields& f, const char* key, std::optional<int64_t> fallback = {}) {
  return f.integer(key, 1, kLargest, fallback);
}

void refuse_unless(const JsonFields& f, const char* key, const json& wanted) {
  const json* value = f.find(key);
  if (value && *value != wanted) f.wrong(key, shown(wanted) + ": anything else is not supported");
}

std::vector<int64_t> read_ids(const JsonFields& f, const char* key) {
  const json* value = f.find(key);
  if (!value) return {};
  std::vector<int64_t> ids;
  for (const auto& id : value->is_array() ? *value : json::array({*value})) {
    if (!id.is_number_integer() || id < 0 || id > kLargest) f.wrong(key, "a token id or a list of token ids");
    ids.push_back(id.get<int64_t>());
  }
  return ids;
}

// New files: rope_parameters {rope_type, rope_theta, ...}. Old ones: rope_theta, and rope_scaling with `rope_type` or `type`.
void read_rope(const JsonFields& f, ModelConfig& c) {
  c.rope_theta = f.number("rope_theta", 10000.0);
  for (const char* key : {"rope_parameters", "rope_scaling"}) {
    if (!f.find(key)) continue;
    const auto rope = f.object(key);
    c.rope_theta = rope.number("rope_theta", c.rope_theta);
    const auto kind = rope.string("rope_type", rope.string("type", "default"));
    if (kind != "default") {
      c.rope_scaling.kind = kind;
      c.rope_scaling.factor = rope.number("factor", 1.0);
      c.rope_scaling.low_frequency_factor = rope.number("low_freq_factor", 1.0);
      c.rope_scaling.high_frequency_factor = rope.number("high_freq_factor", 4.0);
      c.rope_scaling.original_positions = rope.integer("original_max_position_embeddings", 1, INT32_MAX, c.max_positions);
    }
    if (rope.number("partial_rotary_factor", 1.0) != 1.0) rope.wrong("partial_rotary_factor", "1");
    return;
  }
}

void read_gqa(const JsonFields& f, ModelConfig& c) {
  c.key_heads = size_field(f, "num_key_value_heads", c.heads);
  if (!f.find("head_dim") && c.width % c.heads != 0)
    fail_usage("{}: num_attention_heads: is {} and hidden_size is {}; without head_dim it must divide hidden_size.", f.where(),
               c.heads, c.width);
  c.head_size = size_field(f, "head_dim", c.width / c.heads);
}

void read_qwen3_moe(const JsonFields& f, ModelConfig& c) {
  refuse_unless(f, "decoder_sparse_step", 1);
  refuse_unless(f, "use_sliding_window", false);
  read_gqa(f, c);
  c.query_key_norm = true;
  c.router.experts = size_field(f, "num_experts");
  c.router.active = size_field(f, "num_experts_per_tok");
  c.router.normalize = f.boolean("norm_topk_prob", false);  // the class default of transformers
  c.expert_width = size_field(f, "moe_intermediate_size");
  c.first_dense_layers = 0;
  if (!f.find("mlp_only_layers")) return;
  const auto layers = read_ids(f, "mlp_only_layers");
  for (size_t i = 0; i < layers.size(); ++i)
    if (layers[i] != static_cast<int64_t>(i)) f.wrong("mlp_only_layers", "the first layers in ascending order, 0, 1, ...");
  c.first_dense_layers = static_cast<int64_t>(layers.size());
}

void read_deepseek_v3(const JsonFields& f, ModelConfig& c) {
  refuse_unless(f, "scoring_func", "sigmoid");
  refuse_unless(f, "topk_method", "noaux_tc");
  refuse_unless(f, "moe_layer_freq", 1);
  c.attention = Attention::mla;
  c.key_heads = c.heads;
  c.query_rank = f.integer("q_lora_rank", 0, kLargest, 0);
  c.latent_rank = size_field(f, "kv_lora_rank");
  c.nope_size = size_field(f, "qk_nope_head_dim");
  c.rope_size = size_field(f, "qk_rope_head_dim");
  c.value_size = size_field(f, "v_head_dim");
  c.rope_interleaved = f.boolean("rope_interleave", true);
  c.first_dense_layers = f.integer("first_k_dense_replace", 0, kLargest, 3);
  if (c.first_dense_layers >= c.layers) {
    c.first_dense_layers = c.layers;
    return;
  }
  c.router.scoring = Scoring::sigmoid;
  c.router.experts = size_field(f, "n_routed_experts");
  c.router.active = size_field(f, "num_experts_per_tok");
  c.router.groups = size_field(f, "n_group", 1);
  c.router.groups_kept = size_field(f, "topk_group", 1);
  c.router.normalize = f.boolean("norm_topk_prob", true);
  c.router.scale = f.number("routed_scaling_factor", 1.0);
  c.expert_width = size_field(f, "moe_intermediate_size");
  c.shared_experts = f.integer("n_shared_experts", 0, 1024, 0);
}

void write_rope(const ModelConfig& c, ordered_json& j) {
  ordered_json rope{{"rope_type", "default"}};
  if (c.rope_scaling.kind != "none") {
    const auto& s = c.rope_scaling;
    rope = {{"rope_type", s.kind},
            {"factor", s.factor},
            {"low_freq_factor", s.low_frequency_factor},
            {"high_freq_factor", s.high_frequency_factor},
            {"original_max_position_embeddings", s.original_positions}};
    j["rope_scaling"] = rope;
  } else {
    j["rope_scaling"] = nullptr;
  }
  j["rope_theta"] = c.rope_theta;
  rope["rope_theta"] = c.rope_theta;
  j["rope_parameters"] = rope;
}

void write_qwen3_moe(const ModelConfig& c, ordered_json& j) {
  std::vector<int64_t> dense;
  for (int64_t i = 0; i < c.first_dense_layers; ++i) dense.push_back(i);
  j["num_experts"] = c.router.experts;
  j["num_experts_per_tok"] = c.router.active;
  j["moe_intermediate_size"] = c.expert_width;
  j["norm_topk_prob"] = c.router.normalize;
  j["decoder_sparse_step"] = 1;
  j["mlp_only_layers"] = dense;
  j["output_router_logits"] = false;
  j["router_aux_loss_coef"] = 0.0;
  j["use_sliding_window"] = false;
  j["sliding_window"] = nullptr;
}

void write_deepseek_v3(const ModelConfig& c, ordered_json& j) {
  const bool moe = c.router.experts > 0;
  j["q_lora_rank"] = c.query_rank == 0 ? ordered_json(nullptr) : ordered_json(c.query_rank);
  j["kv_lora_rank"] = c.latent_rank;
  j["qk_nope_head_dim"] = c.nope_size;
  j["qk_rope_head_dim"] = c.rope_size;
  j["v_head_dim"] = c.value_size;
  j["rope_interleave"] = c.rope_interleaved;
  j["first_k_dense_replace"] = moe ? c.first_dense_layers : c.layers;
  j["moe_layer_freq"] = 1;
  j["n_routed_experts"] = moe ? c.router.experts : 1;
  j["num_experts_per_tok"] = moe ? c.router.active : 1;
  j["n_shared_experts"] = moe ? c.shared_experts : 1;
  j["moe_intermediate_size"] = moe ? c.expert_width : c.dense_width;
  j["n_group"] = c.router.groups;
  j["topk_group"] = c.router.groups_kept;
  j["norm_topk_prob"] = c.router.normalize;
  j["routed_scaling_factor"] = c.router.scale;
  j["scoring_func"] = "sigmoid";
  j["topk_method"] = "noaux_tc";
  j["num_nextn_predict_layers"] = 0;
}

ModelConfig read_fields(const JsonFields& f) {
  ModelConfig c;
  c.family = f.string("model_type");
  if (c.family != "llama" && c.family != "qwen3_moe" && c.family != "deepseek_v3")
    f.wrong("model_type", "a supported family: llama, qwen3_moe, deepseek_v3");
  for (const char* key : {"attention_bias", "mlp_bias"}) refuse_unless(f, key, false);
  refuse_unless(f, "hidden_act", "silu");
  if (f.find("quantization_config"))
    fail_usage("{}: quantization_config: quantised weights are not supported. Use the bf16 or float32 model.", f.where());
  c.vocab_size = size_field(f, "vocab_size");
  c.layers = size_field(f, "num_hidden_layers");
  c.width = size_field(f, "hidden_size");
  c.dense_width = size_field(f, "intermediate_size");
  c.heads = size_field(f, "num_attention_heads");
  c.norm_eps = f.number("rms_norm_eps", 1e-6);  // the class default of all three families
  c.max_positions = f.integer("max_position_embeddings", 1, INT32_MAX, 2048);
  c.tied_embedding = f.boolean("tie_word_embeddings", false);
  c.first_dense_layers = c.layers;
  read_rope(f, c);
  if (c.family == "llama") read_gqa(f, c);
  if (c.family == "qwen3_moe") read_qwen3_moe(f, c);
  if (c.family == "deepseek_v3") read_deepseek_v3(f, c);
  c.eos_token_ids = read_ids(f, "eos_token_id");
  const auto first_id = [&](const char* key) {
    const auto ids = read_ids(f, key);
    return ids.empty() ? int64_t{-1} : ids[0];
  };
  c.bos_token_id = first_id("bos_token_id");
  c.pad_token_id = first_id("pad_token_id");
  return c;
}

}  // namespace

ModelConfig config_from_json(const json& j, const std::string& file) {
  const ModelConfig c = read_fields(JsonFields(j, file));
  try {
    check(c);
  } catch (const kernels::UsageError& e) {
    fail_usage("{}: {}", file, e.what());
  }
  return c;
}

ordered_json config_to_json(const ModelConfig& c, kernels::Dtype dtype) {
  check(c);
  const char* architecture = c.family == "llama"       ? "LlamaForCausalLM"
                             : c.family == "qwen3_moe" ? "Qwen3MoeForCausalLM"
                                                       : "DeepseekV3ForCausalLM";
  const char* type_name = dtype == kernels::Dtype::bf16 ? "bfloat16" : "float32";
  const auto id_or_null = [](int64_t id) { return id < 0 ? ordered_json(nullptr) : ordered_json(id); };
  ordered_json j;
  j["architectures"] = {architecture};
  j["model_type"] = c.family;
  j["dtype"] = type_name;
  j["torch_dtype"] = type_name;
  j["vocab_size"] = c.vocab_size;
  j["hidden_size"] = c.width;
  // A model of experts alone has no dense width; readers want the key, and no layer uses it.
  j["intermediate_size"] = c.dense_width > 0 ? c.dense_width : c.expert_width * c.router.active;
  j["num_hidden_layers"] = c.layers;
  j["num_attention_heads"] = c.heads;
  j["num_key_value_heads"] = c.attention == Attention::mla ? c.heads : c.key_heads;
  if (c.attention == Attention::gqa) j["head_dim"] = c.head_size;
  j["hidden_act"] = "silu";
  j["attention_bias"] = false;
  j["attention_dropout"] = 0.0;
  if (c.family == "llama") j["mlp_bias"] = false;
  j["max_position_embeddings"] = c.max_positions;
  j["rms_norm_eps"] = c.norm_eps;
  write_rope(c, j);
  j["tie_word_embeddings"] = c.tied_embedding;
  if (c.family == "qwen3_moe") write_qwen3_moe(c, j);
  if (c.family == "deepseek_v3") write_deepseek_v3(c, j);
  j["initializer_range"] = 0.02;
  j["use_cache"] = true;
  j["bos_token_id"] = id_or_null(c.bos_token_id);
  if (c.eos_token_ids.size() == 1)
    j["eos_token_id"] = c.eos_token_ids[0];
  else
    j["eos_token_id"] = c.eos_token_ids.empty() ? ordered_json(nullptr) : ordered_json(c.eos_token_ids);
  j["pad_token_id"] = id_or_null(c.pad_token_id);
  return j;
}

}  // namespace model
