// One store of parameters: named views into flat float32 buffers (master, gradient, two moments).
//
// The order is the canonical order of the model (embedding, layers ascending, final norm, head), so a shard of the
// optimizer is a range of elements. Names are the Hugging Face names of the family.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "kernels/linear.h"
#include "model/config.h"
#include "model/sparse_rows.h"

namespace model {

struct Parameter {
  std::string name;
  std::vector<int64_t> shape;
  int64_t offset = 0, size = 0;
  bool trained = true;    // false: state that no gradient moves (the router's correction bias)
  bool decayed = true;    // weight decay applies (matrices yes, norms and biases no)
  bool compute_float32 = false;  // used in float32 whatever the compute dtype (norms, router), and saved so
  enum class Init { normal, ones, zeros } init = Init::normal;
};

// All parameters of a model, in canonical order, with offsets set.
std::vector<Parameter> list_parameters(const ModelConfig& config);

class ParameterList {
 public:
  explicit ParameterList(const ModelConfig& config);
  // Parameters that stand beside those of the model: adapters (model/lora). Offsets are set here.
  ParameterList(const ModelConfig& config, std::vector<Parameter> parameters);

  const ModelConfig& config() const { return config_; }
  const std::vector<Parameter>& parameters() const { return parameters_; }
  const Parameter& find(const std::string& name) const;  // throws Error
  bool has(const std::string& name) const;
  int64_t size() const { return size_; }  // elements of all

 private:
  ModelConfig config_;
  std::vector<Parameter> parameters_;
  std::unordered_map<std::string, size_t> index_;
  int64_t size_ = 0;
};

class ParameterStore : public ParameterList {
 public:
  // with_training: allocate_training() at once. Masters start at 0: init or load fills them. With a folder, masters and
  // moments lie in files there (kernels/file_memory.h).
  ParameterStore(const ModelConfig& config, bool with_training);
  ParameterStore(ParameterList list, bool with_training, std::string offload_folder = "");
  void allocate_training();  // gradient and moments, 0

  // Flat float32 [size].
  at::Tensor master, gradient, first_moment, second_moment;
  // Gradient of the embedding look-up when the embedding is tied to the head: kept apart until complete_gradient(), so
  // that the head's chain over rows is one chain whatever the micro-batches.
  SparseRows tied_embedding_gradient;

  float* master_of(const std::string& name) const;
  at::Tensor master_view(const Parameter& p) const;  // float32, in p.shape
  // Where the backward pass writes. A parameter that is not here is frozen (the base of a LoRA run): null, a view of null, an
  // undefined tensor, and nothing is added.
  float* gradient_of(const std::string& name) const;
  kernels::MatrixView gradient_view(const std::string& name) const;  // of a matrix [out, in] or [count, out, in]
  at::Tensor gradient_vector(const std::string& name) const;         // flat
  // Adds the gradients of a product y = x W^T + bias: of `at`.weight and, where the model has it, of `at`.bias. dy and x
  // are of the compute dtype. With offsets: of `at`.weight, a matrix for each expert.
  void add_product_gradient(const std::string& at, const at::Tensor& dy, const at::Tensor& x) const;
  void add_product_gradient(const std::string& at, const at::Tensor& dy, const at::Tensor& x,
                            const std::vector<int64_t>& row_offsets) const;
  // After the last micro-batch of a step: adds the tied embedding's second gradient.
  void complete_gradient();

  // Normal(0, std) matrices, ones for norms, zeros for biases; each element keyed by (seed, parameter, index).
  void init_random(uint64_t seed, double std);

 private:
  at::Tensor make_state() const;  // zeros in memory, or in the folder

  std::string offload_folder_;
};

}  // namespace model
