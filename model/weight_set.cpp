#include "model/weight_set.h"

#include <string>

namespace model {
namespace {

using kernels::Dtype;
using kernels::MatrixView;
using kernels::PackedWeight;

// Packs parameters of a store, over earlier storage when there is some.
class Packer {
 public:
  Packer(const ParameterStore& store, Dtype dtype) : store_(store), dtype_(dtype) {}

  void view(const MatrixView& source, PackedWeight& into, Dtype dtype) {
    if (!into.defined()) into = PackedWeight(dtype, source.count, source.out, source.in);
    into.pack(source);
  }
  void matrix(const std::string& name, PackedWeight& into) {
    const Parameter& p = store_.find(name);
    const Dtype dtype = p.compute_float32 ? Dtype::float32 : dtype_;
    const size_t last = p.shape.size() - 1;
    const int64_t count = p.shape.size() == 3 ? p.shape[0] : 1;
    view(kernels::matrix_view(store_.master_of(name), count, p.shape[last - 1], p.shape[last]), into, dtype);
  }
  void vector(const std::string& name, at::Tensor& into) {
    const Parameter& p = store_.find(name);
    if (!into.defined()) into = kernels::empty_f32({p.size});
    into.copy_(store_.master.narrow(0, p.offset, p.size));
  }

 private:
  const ParameterStore& store_;
  Dtype dtype_;
};

void pack_attention(Packer& packer, const ParameterStore& store, const std::string& at, Dtype dtype, BlockWeights& w) {
  const ModelConfig& c = store.config();
  packer.matrix(at + "o_proj.weight", w.output);
  if (c.attention == Attention::gqa) {
    packer.matrix(at + "q_proj.weight", w.query);
    packer.matrix(at + "k_proj.weight", w.key);
    packer.matrix(at + "v_proj.weight", w.value);
    if (c.query_key_norm) {
      packer.vector(at + "q_norm.weight", w.query_norm);
      packer.vector(at + "k_norm.weight", w.key_norm);
    }
    return;
  }
  if (c.query_rank > 0) {
    packer.matrix(at + "q_a_proj.weight", w.query_down);
    packer.vector(at + "q_a_layernorm.weight", w.query_latent_norm);
    packer.matrix(at + "q_b_proj.weight", w.query_up);
  } else {
    packer.matrix(at + "q_proj.weight", w.query);
  }
  packer.matrix(at + "kv_a_proj_with_mqa.weight", w.key_value_down);
  packer.vector(at + "kv_a_layernorm.weight", w.latent_norm);
  float* kv_b = store.master_of(at + "kv_b_proj.weight");
  packer.view(mla_key_up(c, kv_b), w.key_up, dtype);
  packer.view(mla_value_up(c, kv_b), w.value_up, dtype);
}

void pack_dense(Packer& packer, const std::string& at, BlockWeights& w) {
  packer.matrix(at + "gate_proj.weight", w.gate);
  packer.matrix(at + "up_proj.weight", w.up);
  packer.matrix(at + "down_proj.weight", w.down);
}

void pack_feed_forward(Packer& packer, const ParameterStore& store, const std::string& at, int64_t layer, BlockWeights& w) {
  const ModelConfig& c = store.config();
  if (!c.is_moe(layer)) return pack_dense(packer, at, w);
  packer.matrix(at + "gate.weight", w.router);
  if (store.has(at + "gate.e_score_correction_bias")) packer.vector(at + "gate.e_score_correction_bias", w.correction_bias);
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
  return {kv_b + c.nope_size * c.latent_rank, c.heads, c.value_size, c.latent_rank,
          (c.nope_size + c.value_size) * c.latent_rank, c.latent_rank, 1};
}

int64_t WeightSet::bytes() const {
  int64_t total = embedding.bytes() + (config.tied_embedding ? 0 : head.bytes());
  for (const BlockWeights& b : blocks)
    for (const PackedWeight* w : {&b.query, &b.key, &b.value, &b.query_down, &b.query_up, &b.key_value_down, &b.key_up, &b.value_up,
                                  &b.output, &b.gate, &b.up, &b.down, &b.router, &b.expert_gate, &b.expert_up, &b.expert_down})
      if (w->defined()) total += w->bytes();
  return total;
}

std::shared_ptr<const WeightSet> pack_weights(const ParameterStore& store, Dtype dtype, int64_t version,
                                              std::shared_ptr<const WeightSet> reuse) {
  const ModelConfig& c = store.config();
  std::shared_ptr<WeightSet> set;
  if (reuse && reuse.use_count() == 1 && reuse->dtype == dtype) {
    set = std::const_pointer_cast<WeightSet>(std::move(reuse));
  } else {
    set = std::make_shared<WeightSet>();
    set->config = c;
    set->dtype = dtype;
    set->blocks.resize(static_cast<size_t>(c.layers));
    set->rope = kernels::make_rope_table(rope_inverse_frequencies(c), c.max_positions, c.rope_interleaved);
  }
  set->version = version;
  Packer packer(store, dtype);
  packer.matrix("model.embed_tokens.weight", set->embedding);
  for (int64_t i = 0; i < c.layers; ++i) {
    const std::string at = "model.layers." + std::to_string(i) + ".";
    BlockWeights& w = set->blocks[i];
    packer.vector(at + "input_layernorm.weight", w.attention_norm);
    pack_attention(packer, store, at + "self_attn.", dtype, w);
    packer.vector(at + "post_attention_layernorm.weight", w.feed_forward_norm);
    pack_feed_forward(packer, store, at + "mlp.", i, w);
  }
  packer.vector("model.norm.weight", set->final_norm);
  if (c.tied_embedding) set->head = set->embedding;
  else packer.matrix("lm_head.weight", set->head);
  return set;
}

}  // namespace model
