// config.json <-> ModelConfig: the keys of all families. Those of one are in its own file.
#include "kernels/error.h"
#include "model/families/common_json.h"
#include "model/families/key_names.h"
#include "model/families/quantization.h"

namespace model {

using nlohmann::json;
using nlohmann::ordered_json;

namespace {

std::vector<int64_t> ids_or(const JsonFields& f, const char* key, int64_t fallback) {
  if (f.absent(key) && fallback >= 0) return {fallback};
  return read_ids(f, key);
}

ModelConfig read_fields(const JsonFields& f) {
  ModelConfig c;
  c.family = f.string("model_type");
  const Family* family = find_family(c.family);
  if (!family) f.wrong("model_type", "a supported family: " + family_names());
  read_fp8_blocks(f);  // refuses other formats
  refuse_unless(f, "hidden_act", {"silu", "swish"});
  const ClassDefaults& defaults = family->defaults;
  c.vocab_size = size_field(f, "vocab_size");
  c.layers = f.integer("num_hidden_layers", 1, 10000);
  c.width = size_field(f, "hidden_size");
  c.dense_width = size_field(f, "intermediate_size");
  c.heads = size_field(f, "num_attention_heads");
  c.norm_eps = f.number("rms_norm_eps", defaults.norm_eps);
  c.max_positions = f.integer("max_position_embeddings", 1, INT32_MAX, defaults.max_positions);
  c.tied_embedding = f.boolean("tie_word_embeddings", false);
  c.first_dense_layers = c.layers;
  read_rope(f, defaults.rope_theta, c);
  family->read(f, c);
  c.eos_token_ids = ids_or(f, "eos_token_id", defaults.eos);
  const auto first_id = [&](const char* key, int64_t fallback) {
    const auto ids = ids_or(f, key, fallback);
    return ids.empty() ? int64_t{-1} : ids[0];
  };
  c.bos_token_id = first_id("bos_token_id", defaults.bos);
  c.pad_token_id = first_id("pad_token_id", defaults.pad);
  return c;
}

}  // namespace

ModelConfig config_from_json(const json& j, const std::string& file) {
  const ModelConfig c = read_fields(JsonFields(j, file));
  try {
    check(c);
  } catch (const kernels::UsageError& e) {
    kernels::fail_usage("{}: {}", file, with_key_names(e.what(), c));
  }
  return c;
}

ordered_json config_to_json(const ModelConfig& c, kernels::Dtype dtype) {
  check(c);
  const Family& family = *find_family(c.family);
  const char* type_name = dtype == kernels::Dtype::bf16 ? "bfloat16" : "float32";
  const auto id_or_null = [](int64_t id) { return id < 0 ? ordered_json(nullptr) : ordered_json(id); };
  ordered_json j;
  j["architectures"] = {family.architecture};
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
  j["attention_dropout"] = 0.0;
  j["max_position_embeddings"] = c.max_positions;
  j["rms_norm_eps"] = c.norm_eps;
  write_rope(c, j);
  j["tie_word_embeddings"] = c.tied_embedding;
  family.write(c, j);
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
