// All tensors of a model folder, whichever safetensors file they are in, and how each parameter is read from them.
//
// Read are model.safetensors, or the shards that model.safetensors.index.json names; one tensor an expert or the experts of
// a layer together; F32, F16, BF16, F64, and F8_E4M3 matrices with block scales (families/quantization.h). Each missing,
// extra, wrongly shaped, transposed or wrongly typed tensor is one UsageError that names tensor, file and expectation.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kernels/packed_weight.h"
#include "model/families/quantization.h"
#include "model/files/safetensors.h"
#include "model/parameter_store.h"

namespace model {

class FolderTensors {
 public:
  explicit FolderTensors(const std::string& directory);

  // How to read the elements of each parameter, in the order of `list`. Runs must not leave a matrix. Throws when one cannot
  // be read, or when a tensor of the files belongs to no parameter. The readers live as long as this.
  std::vector<kernels::ReadRun> readers(const ParameterList& list);

  // The type of a tensor that is there, as its file spells it: "BF16".
  const std::string& dtype_of(const std::string& name) const { return find(name, {}).entry->dtype; }
  // The type of a parameter, of its first tensor when it has many.
  const std::string& dtype_of(const ModelConfig& config, const Parameter& p) const;

 private:
  struct Place {
    const SafetensorsEntry* entry = nullptr;
    const SafetensorsFile* file = nullptr;
  };

  void add(const std::string& path);
  void add_shards(const std::string& index);
  bool has(const std::string& name) const { return tensors_.contains(name); }
  const Place& find(const std::string& name, const std::vector<int64_t>& shape) const;
  // The tensor `name`, which must hold numbers in `shape`.
  kernels::ReadRun read(const std::string& name, const std::vector<int64_t>& shape);
  kernels::ReadRun read_fp8(const std::string& name, const Place& place);
  kernels::ReadRun read_experts(const ModelConfig& config, const Parameter& p);
  kernels::ReadRun read(const ModelConfig& config, const Parameter& p);
  // The embedding is the head: a head in the file must be its copy.
  void check_tied_head();
  void skip_prediction_modules(const ModelConfig& config);
  void check_all_used(const ModelConfig& config) const;

  std::string directory_, where_;  // where_: what to name when a tensor is in no file
  std::vector<std::unique_ptr<SafetensorsFile>> files_;
  std::map<std::string, Place> tensors_;
  std::set<std::string> used_;
  std::optional<Fp8Blocks> blocks_;
};

}  // namespace model
