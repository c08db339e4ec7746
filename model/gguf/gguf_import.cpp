// A llama-family GGUF file -> a model folder of float32 safetensors.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

#include "kernels/error.h"
#include "model/files/checkpoint_folder.h"
#include "model/files/folder_files.h"
#include "model/gguf/gguf.h"
#include "model/files/json_fields.h"
#include "model/files/mapped_file.h"
#include "model/rope_scaling.h"

namespace model {

using kernels::fail_usage;

namespace {

// A float32 as the shortest decimal that gives it back: 1e-05, not 9.999999747378752e-06.
double shortest(double value) { return std::strtod(fmt::format("{}", static_cast<float>(value)).c_str(), nullptr); }

// Llama 3.1 and 3.2 carry their scaling as a tensor of divisors. Only the published settings (1, 4, 8192) are known.
RopeScaling find_scaling(const GgufTensor& divisors, ModelConfig config, const std::string& file) {
  std::vector<float> values(static_cast<size_t>(divisors.elements));
  dequantize(*divisors.type, divisors.data, divisors.elements, values.data());
  const auto plain = rope_inverse_frequencies(config);
  config.rope_scaling = {.kind = "llama3", .factor = values.empty() ? 1.0 : *std::max_element(values.begin(), values.end())};
  const auto scaled = rope_inverse_frequencies(config);
  bool same = values.size() == plain.size();
  for (size_t i = 0; same && i < plain.size(); ++i) same = std::abs(plain[i] / scaled[i] / values[i] - 1) < 1e-4;
  if (!same) fail_usage("{}: rope_freqs.weight: holds a scaling other than Llama 3's, which is not supported.", file);
  return config.rope_scaling;
}

ModelConfig read_gguf_config(const GgufContent& gguf, const std::string& file) {
  const JsonFields f(gguf.metadata, file);
  if (f.string("general.architecture") != "llama") f.wrong("general.architecture", "\"llama\": other families are not imported");
  if (f.integer("llama.expert_count", 0, INT32_MAX, 0) != 0) f.wrong("llama.expert_count", "0: experts are not imported");
  if (f.string("llama.rope.scaling.type", "none") != "none") f.wrong("llama.rope.scaling.type", "none: it is not supported");
  const int64_t largest = int64_t{1} << 24;
  ModelConfig c;
  c.layers = f.integer("llama.block_count", 1, static_cast<int64_t>(gguf.tensors.size()));
  c.first_dense_layers = c.layers;
  c.width = f.integer("llama.embedding_length", 1, largest);
  c.dense_width = f.integer("llama.feed_forward_length", 1, largest);
  c.heads = f.integer("llama.attention.head_count", 1, largest);
  c.key_heads = f.integer("llama.attention.head_count_kv", 1, largest, c.heads);
  c.head_size = f.integer("llama.attention.key_length", 1, largest, c.width / c.heads);
  if (f.integer("llama.rope.dimension_count", 1, largest, c.head_size) != c.head_size)
    f.wrong("llama.rope.dimension_count", fmt::format("the size of a head, {}", c.head_size));
  c.max_positions = f.integer("llama.context_length", 1, INT32_MAX);
  c.norm_eps = shortest(f.number("llama.attention.layer_norm_rms_epsilon"));
  c.rope_theta = shortest(f.number("llama.rope.freq_base", 10000.0));
  const auto* embedding = gguf.find("token_embd.weight");
  if (!embedding) fail_usage("{}: tensor token_embd.weight is missing.", file);
  c.vocab_size = embedding->shape[0];
  c.tied_embedding = !gguf.find("output.weight");
  c.bos_token_id = f.integer("tokenizer.ggml.bos_token_id", 0, c.vocab_size - 1, -1);
  c.pad_token_id = f.integer("tokenizer.ggml.padding_token_id", 0, c.vocab_size - 1, -1);
  for (const char* key : {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id"}) {
    const int64_t id = f.integer(key, 0, c.vocab_size - 1, -1);
    if (id >= 0 && std::find(c.eos_token_ids.begin(), c.eos_token_ids.end(), id) == c.eos_token_ids.end())
      c.eos_token_ids.push_back(id);
  }
  try {
    check(c);
    if (const auto* divisors = gguf.find("rope_freqs.weight")) c.rope_scaling = find_scaling(*divisors, c, file);
  } catch (const kernels::UsageError& e) {
    fail_usage("{}: {}", file, e.what());
  }
  return c;
}

// model.layers.3.self_attn.q_proj.weight -> blk.3.attn_q.weight
std::string gguf_name(const std::string& name) {
  static const std::map<std::string, std::string> top{{"model.embed_tokens.weight", "token_embd.weight"},
                                                      {"model.norm.weight", "output_norm.weight"},
                                                      {"lm_head.weight", "output.weight"}};
  static const std::map<std::string, std::string> block{
      {"input_layernorm", "attn_norm"}, {"post_attention_layernorm", "ffn_norm"},
      {"self_attn.q_proj", "attn_q"},   {"self_attn.k_proj", "attn_k"},
      {"self_attn.v_proj", "attn_v"},   {"self_attn.o_proj", "attn_output"},
      {"mlp.gate_proj", "ffn_gate"},    {"mlp.up_proj", "ffn_up"},
      {"mlp.down_proj", "ffn_down"}};
  if (const auto it = top.find(name); it != top.end()) return it->second;
  const std::string prefix = "model.layers.", suffix = ".weight";
  const size_t dot = name.find('.', prefix.size());
  const auto part = name.substr(dot + 1, name.size() - suffix.size() - dot - 1);
  return "blk." + name.substr(prefix.size(), dot - prefix.size()) + "." + block.at(part) + suffix;
}

const GgufTensor& tensor_of(const GgufContent& gguf, const Parameter& p, const std::string& file) {
  const auto name = gguf_name(p.name);
  const auto* tensor = gguf.find(name);
  if (!tensor) fail_usage("{}: tensor {} is missing.", file, name);
  if (tensor->shape != p.shape)
    fail_usage("{}: tensor {}: has shape {}, but the metadata ask for {}.", file, name, nlohmann::json(tensor->shape).dump(),
               nlohmann::json(p.shape).dump());
  return *tensor;
}

// GGUF keeps the rows of q and k in interleaved rotary order: row 2j + p of a head is row p (size / 2) + j here.
void undo_rotary_order(float* rows, int64_t heads, int64_t size, int64_t width) {
  std::vector<float> head(static_cast<size_t>(size * width));
  for (int64_t h = 0; h < heads; ++h) {
    float* at = rows + h * size * width;
    std::copy_n(at, size * width, head.data());
    for (int64_t j = 0; j < size / 2; ++j)
      for (int64_t p = 0; p < 2; ++p) std::copy_n(head.data() + (2 * j + p) * width, width, at + (p * (size / 2) + j) * width);
  }
}

std::string describe(const GgufContent& gguf, const ModelConfig& c, int64_t elements, const Tokenizer& tokenizer,
                     const std::string& directory) {
  std::map<std::string, int> counts;
  for (const auto& t : gguf.tensors) ++counts[t.type->name];
  std::string types, ends;
  for (const auto& [type, count] : counts) types += fmt::format("{}{} {}", types.empty() ? "" : ", ", count, type);
  for (const int64_t id : c.eos_token_ids)
    ends += fmt::format("{}{} ({})", ends.empty() ? "" : ", ",
                        id < tokenizer.size() ? tokenizer.token_bytes(static_cast<int32_t>(id)) : "?", id);
  return fmt::format(
      "{}: llama with {} layers of width {}, {:.1f} million parameters; tensors: {}, dequantised to float32; {} tokens, "
      "end of text: {}. Written to {}.",
      JsonFields(gguf.metadata, "").string("general.name", "a model without a name"), c.layers, c.width,
      static_cast<double>(elements) / 1e6, types, tokenizer.size(), ends.empty() ? "none" : ends, directory);
}

}  // namespace

std::string import_gguf(const std::string& file, const std::string& directory) {
  const MappedFile mapped(file);
  const GgufContent gguf = parse_gguf(mapped.data(), mapped.size(), file);
  const ModelConfig config = read_gguf_config(gguf, file);
  const auto tokenizer = Tokenizer::from_json(gguf_tokenizer_json(gguf.metadata, file), file);
  if (tokenizer->size() > config.vocab_size)
    fail_usage("{}: the tokenizer has {} tokens, but token_embd.weight only {} rows.", file, tokenizer->size(),
               config.vocab_size);
  // All shapes are checked before memory is taken for any of them.
  for (const auto& p : list_parameters(config)) tensor_of(gguf, p, file);

  ParameterStore store(config, false);
  for (const auto& p : store.parameters()) {
    const auto& tensor = tensor_of(gguf, p, file);
    float* out = store.master_of(p.name);
    dequantize(*tensor.type, tensor.data, tensor.elements, out);
    if (p.name.ends_with("q_proj.weight")) undo_rotary_order(out, config.heads, config.head_size, config.width);
    if (p.name.ends_with("k_proj.weight")) undo_rotary_order(out, config.key_heads, config.head_size, config.width);
  }
  make_folder(directory);
  write_weights(directory, store, kernels::Dtype::float32);
  write_folder_files(directory, config, kernels::Dtype::float32, *tokenizer,
                     JsonFields(gguf.metadata, file).string("tokenizer.chat_template", ""));
  return describe(gguf, config, store.size(), *tokenizer, directory);
}

}  // namespace model
