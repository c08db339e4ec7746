#include "model/weight_set.h"

#include <algorithm>
#include <string>
#include <utility>

#include "model/rope_scaling.h"

namespace model {
namespace {

using kernels::Dtype;
using kernels::MatrixView;
using kernels::PackedWeight;

// Collects what is to be packed, over earlier storage when there is some; pack() then does it in one pass.
class Packer {
 public:
  Packer(const ParameterList& list, const ParameterReader& reader, Dtype dtype) : list_(list), reader_(reader), dtype_(dtype) {}

  const ModelConfig& config() const { return list_.config(); }
  bool has(const std::string& name) const { return list_.has(name); }

  void matrix(const std::string& name, PackedWeight& into) {
    const Parameter& p = list_.find(name);
    const size_t last = p.shape.size() - 1;
    const int64_t count = p.shape.size() == 3 ? p.shape[0] : 1;
    add(kernels::matrix_view(nullptr, count, p.shape[last - 1], p.shape[last]), reader_(p), into,
        p.compute_float32 ? Dtype::float32 : dtype_);
  }
  // Both halves of MLA's kv_b_proj.
  void key_value_up(const std::string& name, PackedWeight& key, PackedWeight& value) {
    const kernels::ReadRun read = reader_(list_.find(name));
    const int64_t offset = config().nope_size * config().latent_rank;
    add(mla_key_up(config(), nullptr), read, key, dtype_);
    add(mla_value_up(config(), nullptr), read.from(offset), value, dtype_);
  }
  void vector(const std::string& name, at::Tensor& into) {
    const Parameter& p = list_.find(name);
    if (!into.defined()) into = kernels::empty_f32({p.size});
    float* to = kernels::f32(into);
    const float* values = reader_(p)(0, p.size, to);
    if (values != to) std::copy_n(values, p.size, to);
    // A bias is used as it is saved.
    if (!p.compute_float32) into.copy_(kernels::widened(kernels::rounded(into, dtype_)));
  }
  // A product's matrix and, when the model has one, its bias.
  void linear(const std::string& at, PackedWeight& weight, at::Tensor& bias) {
    matrix(at + ".weight", weight);
    if (has(at + ".bias")) vector(at + ".bias", bias);
  }
  void pack() const { kernels::pack(jobs_); }

 private:
  void add(const MatrixView& shape, kernels::ReadRun read, PackedWeight& into, Dtype dtype) {
    if (!into.defined()) into = PackedWeight(dtype, shape.count, shape.out, shape.in);
    jobs_.push_back({&into, shape, std::move(read)});
  }

  const ParameterList& list_;
  const ParameterReader& reader_;
  Dtype dtype_;
  std::vector<kernels::PackJob> jobs_;
};

void pack_attention(Packer& packer, const std::string& at, BlockWeights& w) {
  const ModelConfig& c = packer.config();
  packer.linear(at + "o_proj", w.output, w.output_bias);
  if (c.attention == Attention::gqa) {
    packer.linear(at + "q_proj", w.query, w.query_bias);
    packer.linear(at + "k_proj", w.key, w.key_bias);
    packer.linear(at + "v_proj", w.value, w.value_bias);
    if (c.norms_query_and_key()) {
      packer.vector(at + "q_norm.weight", w.query_norm);
      packer.vector(at + "k_norm.weight", w.key_norm);
    }
    return;
  }
  if (c.query_rank > 0) {
    packer.linear(at + "q_a_proj", w.query_down, w.query_down_bias);
    packer.vector(at + "q_a_layernorm.weight", w.query_latent_norm);
    packer.matrix(at + "q_b_proj.weight", w.query_up);
  } else {
    packer.matrix(at + "q_proj.weight", w.query);
  }
  packer.linear(at + "kv_a_proj_with_mqa", w.key_value_down, w.key_value_down_bias);
  packer.vector(at + "kv_a_layernorm.weight", w.latent_norm);
  packer.key_value_up(at + "kv_b_proj.weight", w.key_up, w.value_up);
}

void pack_dense(Packer& packer, const std::string& at, BlockWeights& w) {
  packer.linear(at + "gate_proj", w.gate, w.gate_bias);
  packer.linear(at + "up_proj", w.up, w.up_bias);
  packer.linear(at + "down_proj", w.down, w.down_bias);
}

void pack_feed_forward(Packer& packer, const std::string& at, int64_t layer, BlockWeights& w) {
  const ModelConfig& c = packer.config();
  if (!c.is_moe(layer)) return pack_dense(packer, at, w);
  packer.matrix(at + "gate.weight", w.router);
  if (packer.has(at + "gate.e_score_correction_bias")) packer.vector(at + "gate.e_score_correction_bias", w.correction_bias);
  packer.matrix(at + "experts.gate_proj.weight", w.expert_gate);
  packer.matrix(at + "experts.up_proj.weight", w.expert_up);
  packer.matrix(at + "experts.down_proj.weight", w.expert_down);
  if (c.shared_experts > 0) pack_dense(packer, at + "shared_experts.", w);
}

}  // namespace

// kv_b_proj holds, head after head, nope_size rows of W_UK and value_size rows of W_UV, each latent_rank long.
MatrixView mla_key_up(const ModelConfig& c, float* kv_b) {
  return {kv_b, c.heads, c.latent_rank, c.nope_size, (c.nope_size + c.value_size) * c.latent_rank, 1, c.latent_rank};
}

MatrixView mla_value_up(const ModelConfig& c, float* kv_b) {
  return {kv_b == nullptr ? nullptr : kv_b + c.nope_size * c.latent_rank, c.heads, c.value_size, c.latent_rank,
          (c.nope_size + c.value_size) * c.latent_rank, c.latent_rank, 1};
}

std::vector<const PackedWeight*> WeightSet::packed() const {
  std::vector<const PackedWeight*> all{&embedding};
  if (!config.tied_embedding) all.push_back(&head);
  for (const BlockWeights& b : blocks)
    for (const PackedWeight* w : {&b.query, &b.key, &b.value, &b.query_down, &b.query_up, &b.key_value_down, &b.key_up, &b.value_up,
                                  &b.output, &b.gate, &b.up, &b.down, &b.router, &b.expert_gate, &b.expert_up, &b.expert_down})
      if (w->defined()) all.push_back(w);
  for (const BlockWeights& b : blocks) {
    const BlockAdapters& a = b.adapters;
    for (const LowRank* w : {&a.query, &a.key, &a.value, &a.output, &a.query_down, &a.query_up, &a.key_value_down, &a.key_up,
                             &a.value_up, &a.gate, &a.up, &a.down, &a.expert_gate, &a.expert_up, &a.expert_down})
      if (w->defined()) all.insert(all.end(), {&w->down, &w->up});
  }
  return all;
}

int64_t WeightSet::bytes() const {
  int64_t total = 0;
  for (const PackedWeight* w : packed()) total += w->bytes();
  return total;
}

std::shared_ptr<const WeightSet> pack_weights(const ParameterList& parameters, const ParameterReader& reader, Dtype dtype,
                                              int64_t version, std::shared_ptr<const WeightSet> reuse) {
  const ModelConfig& c = parameters.config();
  std::shared_ptr<WeightSet> set;
  if (reuse && reuse.use_count() == 1 && reuse->dtype == dtype) {
    set = std::const_pointer_cast<WeightSet>(std::move(reuse));
  } else {
    set = std::make_shared<WeightSet>();
    set->config = c;
    set->dtype = dtype;
    set->blocks.resize(static_cast<size_t>(c.layers));
    set->rope = kernels::RopeTable(rope_inverse_frequencies(c), c.max_positions, c.rope_interleaved, rope_magnitude(c));
  }
  set->version = version;
  Packer packer(parameters, reader, dtype);
  packer.matrix("model.embed_tokens.weight", set->embedding);
  if (!c.tied_embedding) packer.matrix("lm_head.weight", set->head);
  for (int64_t i = 0; i < c.layers; ++i) {
    const std::string at = "model.layers." + std::to_string(i) + ".";
    BlockWeights& w = set->blocks[i];
    packer.vector(at + "input_layernorm.weight", w.attention_norm);
    pack_attention(packer, at + "self_attn.", w);
    packer.vector(at + "post_attention_layernorm.weight", w.feed_forward_norm);
    pack_feed_forward(packer, at + "mlp.", i, w);
  }
  packer.vector("model.norm.weight", set->final_norm);
  packer.pack();
  if (c.tied_embedding) set->head = set->embedding;
  return set;
}

std::shared_ptr<const WeightSet> pack_weights(const ParameterStore& store, Dtype dtype, int64_t version,
                                              std::shared_ptr<const WeightSet> reuse) {
  const float* masters = kernels::f32(store.master);
  const ParameterReader reader = [masters](const Parameter& p) {
    return [values = masters + p.offset](int64_t first, int64_t, float*) { return values + first; };
  };
  return pack_weights(store, reader, dtype, version, std::move(reuse));
}

}  // namespace model
