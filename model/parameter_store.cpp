#include "model/parameter_store.h"

#include <algorithm>

#include "kernels/error.h"
#include "kernels/file_memory.h"
#include "kernels/rng.h"
#include "kernels/thread_pool.h"

namespace model {
namespace {

using Init = Parameter::Init;

constexpr const char* kEmbedding = "model.embed_tokens.weight";

struct Lister {
  std::vector<Parameter> list;
  int64_t offset = 0;

  Parameter& add(std::string name, std::vector<int64_t> shape) {
    Parameter p;
    p.name = std::move(name);
    p.size = 1;
    for (int64_t d : shape) p.size *= d;
    p.shape = std::move(shape);
    p.offset = offset;
    offset += p.size;
    list.push_back(std::move(p));
    return list.back();
  }
  void matrix(const std::string& name, std::vector<int64_t> shape) { add(name, std::move(shape)); }
  // `at` + ".weight" and, when the model has one, ".bias".
  void linear(const std::string& at, int64_t rows, int64_t columns, bool bias) {
    matrix(at + ".weight", {rows, columns});
    if (!bias) return;
    Parameter& p = add(at + ".bias", {rows});
    p.decayed = false;
    p.init = Init::zeros;
  }
  void norm(const std::string& name, int64_t size) {
    Parameter& p = add(name, {size});
    p.decayed = false;
    p.compute_float32 = true;
    p.init = Init::ones;
  }
};

void list_attention(Lister& out, const ModelConfig& c, const std::string& at) {
  if (c.attention == Attention::gqa) {
    const int64_t query = c.heads * c.head_size, key = c.key_heads * c.head_size;
    out.linear(at + "q_proj", query, c.width, c.query_key_value_bias);
    out.linear(at + "k_proj", key, c.width, c.query_key_value_bias);
    out.linear(at + "v_proj", key, c.width, c.query_key_value_bias);
    if (c.norms_query_and_key()) {
      out.norm(at + "q_norm.weight", c.whole_query_key_norm ? query : c.head_size);
      out.norm(at + "k_norm.weight", c.whole_query_key_norm ? key : c.head_size);
    }
    out.linear(at + "o_proj", c.width, query, c.output_bias);
    return;
  }
  const int64_t query = c.heads * (c.nope_size + c.rope_size);
  if (c.query_rank > 0) {
    out.linear(at + "q_a_proj", c.query_rank, c.width, c.query_key_value_bias);
    out.norm(at + "q_a_layernorm.weight", c.query_rank);
    out.matrix(at + "q_b_proj.weight", {query, c.query_rank});
  } else {
    out.matrix(at + "q_proj.weight", {query, c.width});
  }
  out.linear(at + "kv_a_proj_with_mqa", c.latent_rank + c.rope_size, c.width, c.query_key_value_bias);
  out.norm(at + "kv_a_layernorm.weight", c.latent_rank);
  out.matrix(at + "kv_b_proj.weight", {c.heads * (c.nope_size + c.value_size), c.latent_rank});
  out.linear(at + "o_proj", c.width, c.heads * c.value_size, c.output_bias);
}

void list_dense(Lister& out, const ModelConfig& c, const std::string& at, int64_t width) {
  out.linear(at + "gate_proj", width, c.width, c.feed_forward_bias);
  out.linear(at + "up_proj", width, c.width, c.feed_forward_bias);
  out.linear(at + "down_proj", c.width, width, c.feed_forward_bias);
}

void list_feed_forward(Lister& out, const ModelConfig& c, const std::string& at, int64_t layer) {
  if (!c.is_moe(layer)) return list_dense(out, c, at, c.dense_width);
  const int64_t experts = c.router.experts;
  out.add(at + "gate.weight", {experts, c.width}).compute_float32 = true;
  if (c.router.scoring == kernels::RouterConfig::Scoring::sigmoid) {
    Parameter& bias = out.add(at + "gate.e_score_correction_bias", {experts});
    bias.trained = bias.decayed = false;
    bias.compute_float32 = true;
    bias.init = Init::zeros;
  }
  out.matrix(at + "experts.gate_proj.weight", {experts, c.expert_width, c.width});
  out.matrix(at + "experts.up_proj.weight", {experts, c.expert_width, c.width});
  out.matrix(at + "experts.down_proj.weight", {experts, c.width, c.expert_width});
  if (c.shared_experts > 0) list_dense(out, c, at + "shared_experts.", c.shared_experts * c.expert_width);
}

// Pages are first touched by the threads that will work on them.
at::Tensor zeros(int64_t size) {
  at::Tensor x = kernels::empty_f32({size});
  float* data = kernels::f32(x);
  kernels::parallel_ranges(size, 1 << 16, [&](int64_t begin, int64_t end) { std::fill(data + begin, data + end, 0.0f); });
  return x;
}

}  // namespace

std::vector<Parameter> list_parameters(const ModelConfig& c) {
  Lister out;
  out.matrix(kEmbedding, {c.vocab_size, c.width});
  for (int64_t i = 0; i < c.layers; ++i) {
    const std::string at = "model.layers." + std::to_string(i) + ".";
    out.norm(at + "input_layernorm.weight", c.width);
    list_attention(out, c, at + "self_attn.");
    out.norm(at + "post_attention_layernorm.weight", c.width);
    list_feed_forward(out, c, at + "mlp.", i);
  }
  out.norm("model.norm.weight", c.width);
  if (!c.tied_embedding) out.matrix("lm_head.weight", {c.vocab_size, c.width});
  return std::move(out.list);
}

ParameterList::ParameterList(const ModelConfig& config) : ParameterList(config, list_parameters(config)) {}

ParameterList::ParameterList(const ModelConfig& config, std::vector<Parameter> parameters)
    : config_(config), parameters_(std::move(parameters)) {
  for (size_t i = 0; i < parameters_.size(); ++i) {
    index_[parameters_[i].name] = i;
    parameters_[i].offset = size_;
    size_ += parameters_[i].size;
  }
}

const Parameter& ParameterList::find(const std::string& name) const {
  const auto it = index_.find(name);
  if (it == index_.end()) kernels::fail("the model has no parameter named {}.", name);
  return parameters_[it->second];
}

bool ParameterList::has(const std::string& name) const { return index_.count(name) > 0; }

ParameterStore::ParameterStore(const ModelConfig& config, bool with_training)
    : ParameterStore(ParameterList(config), with_training) {}

ParameterStore::ParameterStore(ParameterList list, bool with_training, std::string offload_folder)
    : ParameterList(std::move(list)), offload_folder_(std::move(offload_folder)) {
  master = make_state();
  if (with_training) allocate_training();
}

void ParameterStore::allocate_training() {
  gradient = zeros(size());
  first_moment = make_state();
  second_moment = make_state();
  if (config().tied_embedding && has(kEmbedding)) tied_embedding_gradient = SparseRows(config().vocab_size, config().width);
}

at::Tensor ParameterStore::make_state() const {
  return offload_folder_.empty() ? zeros(size()) : kernels::zeros_in_file(size(), offload_folder_);
}

float* ParameterStore::master_of(const std::string& name) const { return kernels::f32(master) + find(name).offset; }

float* ParameterStore::gradient_of(const std::string& name) const {
  return has(name) ? kernels::f32(gradient) + find(name).offset : nullptr;
}

kernels::MatrixView ParameterStore::gradient_view(const std::string& name) const {
  if (!has(name)) return {};
  const Parameter& p = find(name);
  const size_t last = p.shape.size() - 1;
  return kernels::matrix_view(gradient_of(name), p.shape.size() == 3 ? p.shape[0] : 1, p.shape[last - 1], p.shape[last]);
}

at::Tensor ParameterStore::gradient_vector(const std::string& name) const {
  if (!has(name)) return {};
  const Parameter& p = find(name);
  return gradient.narrow(0, p.offset, p.size);
}

at::Tensor ParameterStore::master_view(const Parameter& p) const { return master.narrow(0, p.offset, p.size).view(p.shape); }

void ParameterStore::add_product_gradient(const std::string& at, const at::Tensor& dy, const at::Tensor& x) const {
  if (has(at + ".weight")) kernels::linear_backward_weight(dy, x, gradient_view(at + ".weight"));
  if (has(at + ".bias")) kernels::linear_backward_bias(dy, gradient_vector(at + ".bias"));
}

void ParameterStore::add_product_gradient(const std::string& at, const at::Tensor& dy, const at::Tensor& x,
                                          const std::vector<int64_t>& row_offsets) const {
  if (has(at + ".weight")) kernels::linear_experts_backward_weight(dy, x, gradient_view(at + ".weight"), row_offsets);
}

void ParameterStore::complete_gradient() {
  if (!config().tied_embedding || !has(kEmbedding)) return;
  const Parameter& p = find(kEmbedding);
  tied_embedding_gradient.move_to(gradient.narrow(0, p.offset, p.size).view(p.shape));
}

void ParameterStore::init_random(uint64_t seed, double std) {
  for (size_t p = 0; p < parameters().size(); ++p) {
    const Parameter& parameter = parameters()[p];
    float* w = kernels::f32(master) + parameter.offset;
    if (parameter.init != Init::normal) {
      for (int64_t i = 0; i < parameter.size; ++i) w[i] = parameter.init == Init::ones ? 1.0f : 0.0f;
      continue;
    }
    kernels::parallel_ranges((parameter.size + 3) / 4, 4096, [&](int64_t begin, int64_t end) {
      for (int64_t quad = begin; quad < end; ++quad) {
        const auto normals = kernels::random_normals(
            {.seed = seed, .purpose = kernels::Purpose::init, .group = p, .position = static_cast<uint32_t>(quad)});
        for (int64_t i = 0; i < 4 && quad * 4 + i < parameter.size; ++i) w[quad * 4 + i] = static_cast<float>(normals[i] * std);
      }
    });
  }
}

}  // namespace model
