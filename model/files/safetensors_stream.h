// A safetensors file whose tensors are made while they are written, one after another: none is held whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace model {

// Takes the next bytes of a tensor.
using WriteBytes = std::function<void(const void* data, size_t size)>;

struct StreamedTensor {
  std::string name;
  std::string dtype;  // F32 F16 BF16 I64 I32 U8
  std::vector<int64_t> shape;
  int64_t bytes = 0;
  std::function<void(const WriteBytes& write)> make;  // writes exactly `bytes` bytes, from one thread
};

// Writes tensors in the given order under a temporary name, syncs, renames. Metadata is {"format": "pt"} plus `metadata`.
// Throws Error for a name given twice and for a tensor that makes too few or too many bytes; nothing is left behind then.
void stream_safetensors(const std::string& path, const std::vector<StreamedTensor>& tensors,
                        const std::vector<std::pair<std::string, std::string>>& metadata = {});

}  // namespace model
