// Keys of config.json that several families share. Read as transformers 5.23 does; written in the new and in the old
// spelling. Internal to families/.
#pragma once

#include "model/families/family.h"

namespace model {

constexpr int64_t kLargestSize = int64_t{1} << 24;

int64_t size_field(const JsonFields& f, const char* key, std::optional<int64_t> fallback = {});
// Like size_field, but null is 0 and only an absent key is `fallback`.
int64_t size_or_null(const JsonFields& f, const char* key, int64_t fallback);
// The key may be absent or hold one of `wanted`; anything else is refused by name.
void refuse_unless(const JsonFields& f, const char* key, const std::vector<nlohmann::json>& wanted);
// Like JsonFields::boolean, but null is false and only an absent key is `fallback`: what Python makes of None.
bool true_or_null(const JsonFields& f, const char* key, bool fallback);
// Numbers from 0, for tokens or layers: one, a list of them, or nothing. -1 counts as nothing (the first Llamas' pad_token_id).
std::vector<int64_t> read_ids(const JsonFields& f, const char* key);

// New files: rope_parameters {rope_type, rope_theta, ...}. Old ones: rope_theta, and rope_scaling with `rope_type` or
// `type`. Where both are, rope_scaling is the one that counts.
void read_rope(const JsonFields& f, double default_theta, ModelConfig& c);
void write_rope(const ModelConfig& c, nlohmann::ordered_json& j);

// num_key_value_heads and head_dim. `default_head_size` 0: hidden_size / num_attention_heads.
void read_heads(const JsonFields& f, int64_t default_key_heads, int64_t default_head_size, ModelConfig& c);
// attention_bias: of q, k, v and the output.
void read_attention_bias(const JsonFields& f, ModelConfig& c);

// Of families without layer_types: the key may be there, but must say what the family does anyway.
void refuse_other_layer_types(const JsonFields& f, const ModelConfig& c);
// sliding_window alone: all layers have it.
void read_one_window(const JsonFields& f, int64_t fallback, ModelConfig& c);
// use_sliding_window, sliding_window, and, unless `all_layers`, layer_types or max_window_layers.
void read_switched_window(const JsonFields& f, bool all_layers, ModelConfig& c);
void write_switched_window(const ModelConfig& c, bool all_layers, nlohmann::ordered_json& j);

nlohmann::ordered_json number_or_null(double value);
nlohmann::ordered_json number_or_null(int64_t value);  // 0 is null

}  // namespace model
