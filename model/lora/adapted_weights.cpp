#include "model/lora/adapted_weights.h"

#include <ATen/ops/cat.h>

#include <utility>
#include <vector>

namespace model {
namespace {

using kernels::MatrixView;

const std::string kDown = ".lora_A.weight", kUp = ".lora_B.weight";

// The halves of kv_b_proj + scale B A for one head, with B [nope + value, rank] and A [rank, latent]:
//   keys    latent <- nope:  x (B_k A), so B_k^T is first and A^T second
//   values  value <- latent: x A^T B_v^T, as any product
struct MlaViews {
  MatrixView key_down, key_up, value_down, value_up;
};

MlaViews mla_views(const ModelConfig& c, float* a, float* b, int64_t rank) {
  const int64_t head = (c.nope_size + c.value_size) * rank;
  return {{b, c.heads, rank, c.nope_size, head, 1, rank},
          {a, 1, c.latent_rank, rank, 0, 1, c.latent_rank},
          {a, 1, rank, c.latent_rank, 0, c.latent_rank, 1},
          {b + c.nope_size * rank, c.heads, c.value_size, rank, head, rank, 1}};
}

class Packer {
 public:
  Packer(const ParameterStore& adapters, double scale, kernels::Dtype dtype)
      : adapters_(adapters), scale_(scale), dtype_(dtype) {}

  // The pair of the matrix `at`, if it has one.
  void pair(const std::string& at, LowRank& into) {
    if (!adapters_.has(at + kDown)) return;
    into.scale = scale_;
    add(view(at + kDown), into.down);
    add(view(at + kUp), into.up);
  }
  void key_value_up(const std::string& at, LowRank& key, LowRank& value) {
    if (!adapters_.has(at + kDown)) return;
    const MlaViews views = mla_views(adapters_.config(), adapters_.master_of(at + kDown), adapters_.master_of(at + kUp),
                                     adapters_.find(at + kDown).shape[0]);
    key.scale = value.scale = scale_;
    add(views.key_down, key.down), add(views.key_up, key.up);
    add(views.value_down, value.down), add(views.value_up, value.up);
  }
  void pack() const { kernels::pack(jobs_); }

 private:
  MatrixView view(const std::string& name) const {
    const Parameter& p = adapters_.find(name);
    const size_t last = p.shape.size() - 1;
    return kernels::matrix_view(adapters_.master_of(name), last == 2 ? p.shape[0] : 1, p.shape[last - 1], p.shape[last]);
  }
  void add(const MatrixView& source, kernels::PackedWeight& into) {
    if (!into.defined()) into = kernels::PackedWeight(dtype_, source.count, source.out, source.in);
    jobs_.push_back({&into, source, [values = source.data](int64_t first, int64_t, float*) { return values + first; }});
  }

  const ParameterStore& adapters_;
  double scale_;
  kernels::Dtype dtype_;
  std::vector<kernels::PackJob> jobs_;
};

}  // namespace

std::shared_ptr<const WeightSet> adapted_weights(const WeightSet& base, const ParameterStore& adapters, double scale,
                                                 int64_t version, std::shared_ptr<const WeightSet> reuse) {
  std::shared_ptr<WeightSet> set;
  if (reuse && reuse.use_count() == 1) {
    set = std::const_pointer_cast<WeightSet>(std::move(reuse));
  } else {
    set = std::make_shared<WeightSet>(base);
    for (BlockWeights& block : set->blocks) block.adapters = {};
  }
  set->version = version;
  Packer packer(adapters, scale, base.dtype);
  for (size_t i = 0; i < set->blocks.size(); ++i) {
    BlockAdapters& to = set->blocks[i].adapters;
    const std::string layer = "model.layers." + std::to_string(i), attention = layer + ".self_attn.", mlp = layer + ".mlp.";
    packer.pair(attention + "q_proj", to.query);
    packer.pair(attention + "k_proj", to.key);
    packer.pair(attention + "v_proj", to.value);
    packer.pair(attention + "q_a_proj", to.query_down);
    packer.pair(attention + "q_b_proj", to.query_up);
    packer.pair(attention + "kv_a_proj_with_mqa", to.key_value_down);
    packer.key_value_up(attention + "kv_b_proj", to.key_up, to.value_up);
    packer.pair(attention + "o_proj", to.output);
    const std::string dense = base.config.is_moe(static_cast<int64_t>(i)) ? mlp + "shared_experts." : mlp;
    packer.pair(dense + "gate_proj", to.gate);
    packer.pair(dense + "up_proj", to.up);
    packer.pair(dense + "down_proj", to.down);
    packer.pair(mlp + "experts.gate_proj", to.expert_gate);
    packer.pair(mlp + "experts.up_proj", to.expert_up);
    packer.pair(mlp + "experts.down_proj", to.expert_down);
  }
  packer.pack();
  return set;
}

LowRankGradient adapter_gradient(const ParameterStore& store, const std::string& at) {
  return {store.gradient_view(at + kDown), store.gradient_view(at + kUp)};
}

MlaAdapterBackward::MlaAdapterBackward(const ParameterStore& store, std::string at, const BlockAdapters& adapters)
    : store_(store), at_(std::move(at)), adapters_(adapters) {}

void MlaAdapterBackward::value_half(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& dx) {
  if (!adapters_.value_up.defined()) return;
  const MlaViews to = mla_views(store_.config(), store_.gradient_of(at_ + kDown), store_.gradient_of(at_ + kUp),
                                adapters_.value_up.down.out());
  value_dhidden_ = low_rank_backward(dy, x, adapters_.value_up, {{}, to.value_up}, dx).dhidden;
  value_x_ = x;
}

void MlaAdapterBackward::key_half(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& dx) {
  if (!adapters_.key_up.defined()) return;
  const ModelConfig& c = store_.config();
  const int64_t n = dy.size(0), rank = adapters_.key_up.down.out();
  const MlaViews to = mla_views(c, store_.gradient_of(at_ + kDown), store_.gradient_of(at_ + kUp), rank);
  const at::Tensor hidden = low_rank_backward(dy, x, adapters_.key_up, {to.key_down, {}}, dx).hidden;
  // Keys: y = u A, so dA = u^T dy. Values: dA = dhidden^T x.
  const at::Tensor left = at::cat({value_dhidden_.view({n, c.heads, rank}), hidden.view({n, c.heads, rank})}, 1);
  const at::Tensor right = at::cat({value_x_.view({n, c.heads, c.latent_rank}), dy}, 1);
  kernels::linear_backward_weight(left.view({-1, rank}), right.view({-1, c.latent_rank}), to.value_down);
}

}  // namespace model
