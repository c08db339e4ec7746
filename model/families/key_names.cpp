#include "model/families/key_names.h"

#include <map>

namespace model {

namespace {

// Where families differ, the first that is not empty: DeepSeek's, that of mixtral and olmoe, all others'.
struct KeyName {
  const char *deepseek, *whole_experts, *others;
};

const std::map<std::string, KeyName>& key_names() {
  static const std::map<std::string, KeyName> names{
      {"family", {"", "", "model_type"}},
      {"layers", {"", "", "num_hidden_layers"}},
      {"width", {"", "", "hidden_size"}},
      {"norm_eps", {"", "", "rms_norm_eps"}},
      {"max_positions", {"", "", "max_position_embeddings"}},
      {"heads", {"", "", "num_attention_heads"}},
      {"key_heads", {"", "", "num_key_value_heads"}},
      {"head_size", {"", "", "head_dim"}},
      {"window", {"", "", "sliding_window"}},
      {"full_layers", {"", "", "layer_types"}},
      {"query_rank", {"", "", "q_lora_rank"}},
      {"latent_rank", {"", "", "kv_lora_rank"}},
      {"nope_size", {"", "", "qk_nope_head_dim"}},
      {"rope_size", {"", "", "qk_rope_head_dim"}},
      {"value_size", {"", "", "v_head_dim"}},
      {"dense_width", {"", "", "intermediate_size"}},
      {"first_dense_layers", {"first_k_dense_replace", "", "mlp_only_layers"}},
      {"moe_every", {"", "", "decoder_sparse_step"}},
      {"dense_layers", {"", "", "mlp_only_layers"}},
      {"experts", {"n_routed_experts", "", "num_experts"}},
      {"active_experts", {"", "", "num_experts_per_tok"}},
      {"expert_groups", {"", "", "n_group"}},
      {"expert_groups_kept", {"", "", "topk_group"}},
      {"router_scale", {"", "", "routed_scaling_factor"}},
      {"expert_width", {"", "intermediate_size", "moe_intermediate_size"}},
      {"shared_experts", {"", "", "n_shared_experts"}},
      {"original_positions", {"", "", "original_max_position_embeddings"}},
      {"low_frequency_factor", {"", "", "low_freq_factor"}},
      {"high_frequency_factor", {"", "", "high_freq_factor"}},
  };
  return names;
}

std::string key_name(const std::string& field, const ModelConfig& c) {
  const auto it = key_names().find(field);
  if (it == key_names().end()) return field;
  const KeyName& name = it->second;
  if (c.family.starts_with("deepseek") && *name.deepseek) return name.deepseek;
  const bool whole_experts = c.family == "mixtral" || c.family == "olmoe";
  return whole_experts && *name.whole_experts ? name.whole_experts : name.others;
}

bool in_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

}  // namespace

std::string with_key_names(const std::string& message, const ModelConfig& config) {
  std::string out;
  const size_t colon = message.find(':');
  for (size_t i = 0; i < message.size();) {
    if (!in_word(message[i])) {
      out += message[i++];
      continue;
    }
    const size_t begin = i;
    while (i < message.size() && in_word(message[i])) ++i;
    const auto word = message.substr(begin, i - begin);
    out += begin < colon || word.find('_') != std::string::npos ? key_name(word, config) : word;
  }
  return out;
}

}  // namespace model
