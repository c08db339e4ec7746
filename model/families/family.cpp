#include "model/families/family.h"

#include <algorithm>

#include "model/families/readers.h"

namespace model {

// Parts and defaults: configuration_*.py and modeling_*.py of transformers 5.23.
const std::vector<Family>& families() {
  static const std::vector<Family> all{
      {.model_type = "llama",
       .architecture = "LlamaForCausalLM",
       .parts = {.attention_bias = Part::may, .feed_forward_bias = Part::may, .divided_width = true},
       .defaults = {.bos = 1, .eos = 2},
       .read = read_llama,
       .write = write_llama,
       .naming = {}},
      {.model_type = "mistral",
       .architecture = "MistralForCausalLM",
       .parts = {.window = Part::may},
       .defaults = {.max_positions = 131072, .bos = 1, .eos = 2},
       .read = read_mistral,
       .write = write_mistral,
       .naming = {}},
      {.model_type = "qwen2",
       .architecture = "Qwen2ForCausalLM",
       .parts = {.query_key_value_bias = true, .window = Part::may, .some_full_layers = true},
       .defaults = {.max_positions = 32768},
       .read = read_qwen2,
       .write = write_qwen2,
       .naming = {}},
      {.model_type = "qwen3",
       .architecture = "Qwen3ForCausalLM",
       .parts = {.head_norm = Part::always, .attention_bias = Part::may, .window = Part::may, .some_full_layers = true},
       .defaults = {.max_positions = 32768},
       .read = read_qwen3,
       .write = write_qwen3,
       .naming = {}},
      {.model_type = "qwen3_moe",
       .architecture = "Qwen3MoeForCausalLM",
       .parts = {.experts = Part::always,
                 .head_norm = Part::always,
                 .attention_bias = Part::may,
                 .window = Part::may,
                 .normalized = Part::may,
                 .early_dense = Part::may,
                 .any_dense = true},
       .defaults = {.max_positions = 32768},
       .read = read_qwen3_moe,
       .write = write_qwen3_moe,
       .naming = {}},
      {.model_type = "olmoe",
       .architecture = "OlmoeForCausalLM",
       .parts = {.experts = Part::always,
                 .whole_norm = Part::always,
                 .attention_bias = Part::may,
                 .clip = Part::may,
                 .normalized = Part::may,
                 .whole_head_size = true},
       .defaults = {.norm_eps = 1e-5, .max_positions = 4096, .eos = 50279, .pad = 1},
       .read = read_olmoe,
       .write = write_olmoe,
       .naming = {}},
      {.model_type = "mixtral",
       .architecture = "MixtralForCausalLM",
       .parts = {.experts = Part::always, .window = Part::may, .normalized = Part::always},
       .defaults = {.norm_eps = 1e-5, .rope_theta = 1e6, .max_positions = 131072, .bos = 1, .eos = 2},
       .read = read_mixtral,
       .write = write_mixtral,
       .naming = {.block = "block_sparse_moe", .gate = "w1", .up = "w3", .down = "w2"}},
      {.model_type = "deepseek_v2",
       .architecture = "DeepseekV2ForCausalLM",
       .parts = {.attention = Attention::mla,
                 .experts = Part::may,
                 .attention_bias = Part::may,
                 .feed_forward_bias = Part::may,
                 .interleaved = Part::always,
                 .early_dense = Part::may,
                 .divided_width = true},
       .defaults = {.bos = 1, .eos = 2},
       .read = read_deepseek_v2,
       .write = write_deepseek_v2,
       .naming = {}},
      {.model_type = "deepseek_v3",
       .architecture = "DeepseekV3ForCausalLM",
       .parts = {.attention = Attention::mla,
                 .experts = Part::may,
                 .attention_bias = Part::may,
                 .interleaved = Part::may,
                 .normalized = Part::may,
                 .early_dense = Part::may},
       .defaults = {.max_positions = 4096, .bos = 0, .eos = 1},
       .read = read_deepseek_v3,
       .write = write_deepseek_v3,
       .naming = {}},
  };
  return all;
}

const Family* find_family(const std::string& model_type) {
  for (const auto& family : families())
    if (model_type == family.model_type) return &family;
  return nullptr;
}

std::string family_names() {
  std::string names;
  for (const auto& family : families()) names += (names.empty() ? "" : ", ") + std::string(family.model_type);
  return names;
}

}  // namespace model
