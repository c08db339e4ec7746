// Writes tensors that lie in memory to a safetensors file. safetensors_stream.h is for those that are made on the way.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kernels/tensor.h"
#include "model/files/safetensors_stream.h"

namespace model {

struct NamedTensor {
  std::string name;
  at::Tensor values;           // float32, bfloat16, int64, int32 or uint8; contiguous
  bool round_to_bf16 = false;  // float32 values, rounded on their way to the file
};
// Writes tensors in the given order under a temporary name, syncs, renames. Metadata is {"format": "pt"} plus `metadata`.
void write_safetensors(const std::string& path, const std::vector<NamedTensor>& tensors,
                       const std::vector<std::pair<std::string, std::string>>& metadata = {});

}  // namespace model
