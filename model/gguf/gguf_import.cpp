#include "model/gguf/gguf_import.h"

#include <algorithm>
#include <map>
#include <set>

#include "kernels/error.h"
#include "kernels/thread_pool.h"
#include "model/families/tensor_names.h"
#include "model/files/atomic_folder.h"
#include "model/files/folder_files.h"
#include "model/files/json_fields.h"
#include "model/files/mapped_file.h"
#include "model/parameter_store.h"

namespace model {

using kernels::fail_usage;

namespace {

constexpr int64_t kPieceSize = int64_t{1} << 22;  // elements dequantised at a time

// model.layers.3.self_attn.q_proj.weight -> blk.3.attn_q.weight
std::string gguf_name(const std::string& name) {
  static const std::map<std::string, std::string> top{{"model.embed_tokens.weight", "token_embd.weight"},
                                                      {"model.norm.weight", "output_norm.weight"},
                                                      {"lm_head.weight", "output.weight"}};
  static const std::map<std::string, std::string> block{
      {"input_layernorm", "attn_norm"},    {"post_attention_layernorm", "ffn_norm"},
      {"self_attn.q_proj", "attn_q"},      {"self_attn.k_proj", "attn_k"},
      {"self_attn.v_proj", "attn_v"},      {"self_attn.o_proj", "attn_output"},
      {"self_attn.q_norm", "attn_q_norm"}, {"self_attn.k_norm", "attn_k_norm"},
      {"mlp.gate_proj", "ffn_gate"},       {"mlp.up_proj", "ffn_up"},
      {"mlp.down_proj", "ffn_down"}};
  if (const auto it = top.find(name); it != top.end()) return it->second;
  const std::string prefix = "model.layers.";
  const size_t layer_end = name.find('.', prefix.size()), part_end = name.rfind('.');
  const auto part = name.substr(layer_end + 1, part_end - layer_end - 1);
  return "blk." + name.substr(prefix.size(), layer_end - prefix.size()) + "." + block.at(part) + name.substr(part_end);
}

struct Source {
  const Parameter* parameter;
  const GgufTensor* tensor;
};

// The tensor of every parameter. A missing, wrongly shaped or superfluous one is refused by name.
std::vector<Source> match(const GgufContent& gguf, const std::vector<Parameter>& parameters, const std::string& file) {
  std::map<std::string, const GgufTensor*> tensors;
  for (const auto& t : gguf.tensors) tensors[t.name] = &t;
  tensors.erase("rope_freqs.weight");  // gguf_config() has read it
  std::vector<Source> sources;
  for (const auto& p : parameters) {
    const auto name = gguf_name(p.name);
    const auto it = tensors.find(name);
    if (it == tensors.end()) fail_usage("{}: tensor {} is missing.", file, name);
    if (it->second->shape != p.shape)
      fail_usage("{}: tensor {}: has shape {}, but the metadata ask for {}.", file, name,
                 nlohmann::json(it->second->shape).dump(), nlohmann::json(p.shape).dump());
    sources.push_back({&p, it->second});
    tensors.erase(it);
  }
  if (!tensors.empty())
    fail_usage("{}: tensor {} has no place in the model that the metadata describe.", file, shown(tensors.begin()->first));
  return sources;
}

// Converters store the rows of Llama's q and k in interleaved rotary order: row 2j + p of a head is row p (size / 2) + j
// here. `width` elements are a row.
void undo_rotary_order(float* head, int64_t size, int64_t width) {
  std::vector<float> stored(head, head + size * width);
  for (int64_t j = 0; j < size / 2; ++j)
    for (int64_t p = 0; p < 2; ++p)
      std::copy_n(stored.data() + (2 * j + p) * width, width, head + (p * (size / 2) + j) * width);
}

bool is_rotary_ordered(const ModelConfig& c, const std::string& name) {
  if (c.family != "llama" && c.family != "mistral") return false;
  return name.find("q_proj.") != std::string::npos || name.find("k_proj.") != std::string::npos;
}

// Dequantises and writes one tensor, a few rows at a time, and lets the read pages go.
class TensorCopier {
 public:
  TensorCopier(const MappedFile& file, const ModelConfig& config, kernels::Dtype dtype)
      : file_(file), config_(config), dtype_(dtype) {}

  StreamedTensor plan(const Source& source) {
    const Parameter& p = *source.parameter;
    const bool bf16 = dtype_of(p) == kernels::Dtype::bf16;
    return {file_names(config_, p)[0], bf16 ? "BF16" : "F32", p.shape, p.size * kernels::bytes_of(dtype_of(p)),
            [this, source](const WriteBytes& write) { copy(source, write); }};
  }

 private:
  void copy(const Source& source, const WriteBytes& write) {
    const GgufTensor& t = *source.tensor;
    const bool rotary = is_rotary_ordered(config_, source.parameter->name);
    // A unit is what can be converted alone: a row, or a whole head of q and k. A vector is one unit, a bias of q too.
    const int64_t width = t.shape.back(), heads = rotary && t.shape.size() == 1 ? width / config_.head_size : 1;
    const int64_t unit = rotary && t.shape.size() == 2 ? config_.head_size * width : width;
    const int64_t units = t.elements / unit, step = std::max<int64_t>(1, kPieceSize / unit);
    for (int64_t first = 0; first < units; first += step) {
      const int64_t count = std::min(step, units - first);
      if (!buffer_.defined() || buffer_.numel() < count * unit) buffer_ = kernels::empty_f32({count * unit});
      float* values = kernels::f32(buffer_);
      const unsigned char* from = t.data + first * bytes_of(*t.type, unit);
      kernels::parallel_for(count, [&](int64_t i) {
        dequantize(*t.type, from + i * bytes_of(*t.type, unit), unit, values + i * unit);
        if (!rotary) return;
        const int64_t size = config_.head_size, row = t.shape.size() == 1 ? 1 : width;
        for (int64_t h = 0; h < heads; ++h) undo_rotary_order(values + i * unit + h * size * row, size, row);
      });
      const at::Tensor stored = kernels::rounded(buffer_.narrow(0, 0, count * unit), dtype_of(*source.parameter));
      write(stored.data_ptr(), stored.nbytes());
      file_.let_go(from, bytes_of(*t.type, count * unit));
    }
  }

  kernels::Dtype dtype_of(const Parameter& p) const { return p.compute_float32 ? kernels::Dtype::float32 : dtype_; }
  static int64_t bytes_of(const GgufType& type, int64_t elements) { return elements / type.block_elements * type.block_bytes; }

  const MappedFile& file_;
  const ModelConfig& config_;
  kernels::Dtype dtype_;
  at::Tensor buffer_;
};

std::string describe(const GgufContent& gguf, const ModelConfig& c, int64_t elements, const Tokenizer& tokenizer,
                     kernels::Dtype dtype, const std::string& directory) {
  std::map<std::string, int> counts;
  for (const auto& t : gguf.tensors) ++counts[t.type->name];
  std::string types, ends;
  for (const auto& [type, count] : counts) types += fmt::format("{}{} {}", types.empty() ? "" : ", ", count, type);
  for (const int64_t id : c.eos_token_ids)
    ends += fmt::format("{}{} ({})", ends.empty() ? "" : ", ",
                        id < tokenizer.size() ? tokenizer.token_bytes(static_cast<int32_t>(id)) : "?", id);
  return fmt::format(
      "{}: {} with {} layers of width {}, {:.1f} million parameters; tensors: {}, dequantised to {}; {} tokens, "
      "end of text: {}. Written to {}.",
      JsonFields(gguf.metadata, "").string("general.name", "a model without a name"), c.family, c.layers, c.width,
      static_cast<double>(elements) / 1e6, types, kernels::name_of(dtype), tokenizer.size(), ends.empty() ? "none" : ends,
      directory);
}

}  // namespace

std::string import_gguf(const std::string& file, const std::string& directory, kernels::Dtype dtype, int64_t shard_bytes) {
  const MappedFile mapped(file);
  const GgufContent gguf = parse_gguf(mapped.data(), mapped.size(), file);
  const ModelConfig config = gguf_config(gguf, file);
  const auto tokenizer = Tokenizer::from_json(gguf_tokenizer_json(gguf.metadata, file), file);
  if (tokenizer->size() > config.vocab_size)
    fail_usage("{}: the tokenizer has {} tokens, but token_embd.weight only {} rows.", file, tokenizer->size(),
               config.vocab_size);
  const ParameterList list(config);
  const auto sources = match(gguf, list.parameters(), file);

  TensorCopier copier(mapped, config, dtype);
  std::vector<StreamedTensor> tensors;
  for (const auto& source : sources) tensors.push_back(copier.plan(source));
  AtomicFolder folder(directory);
  write_shards(folder.temporary(), tensors, shard_bytes);
  write_folder_files(folder.temporary(), config, dtype, *tokenizer,
                     JsonFields(gguf.metadata, file).string("tokenizer.chat_template", ""));
  folder.commit();
  return describe(gguf, config, list.size(), *tokenizer, dtype, directory);
}

}  // namespace model
