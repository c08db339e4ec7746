// Writes safetensors files: aligned, in one pass, and whole or not at all.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kernels/tensor.h"
#include "model/files/atomic_file.h"

namespace model {

using SafetensorsMetadata = std::vector<std::pair<std::string, std::string>>;

// What the header says about a tensor.
struct SafetensorsPlan {
  std::string name, dtype;  // dtype as in the file: F32, BF16, I64, ...
  std::vector<int64_t> shape;
};

// A file whose tensors are made one after another: the plan first, then the bytes in the order of the plan, in pieces of
// any size, then commit(). No more than a piece is in memory. Metadata is {"format": "pt"} plus `metadata`.
//
//   SafetensorsWriter out(path, {{"a", "F32", {2, 3}}, {"b", "BF16", {4}}});
//   out.write(a, 24); out.write(b, 8); out.commit();
//
// Without commit() no file appears. Throws Error for a name that comes twice or is no UTF-8, an unknown dtype, and bytes
// that are not as many as planned; UsageError when the folder cannot be written to.
class SafetensorsWriter {
 public:
  SafetensorsWriter(const std::string& path, const std::vector<SafetensorsPlan>& plan, const SafetensorsMetadata& metadata = {});
  void write(const void* data, int64_t bytes);
  void commit();

 private:
  std::string path_;
  AtomicFile file_;
  int64_t left_ = 0;
};

struct NamedTensor {
  std::string name;
  at::Tensor values;           // float32, bfloat16, int64, int32 or uint8; contiguous
  bool round_to_bf16 = false;  // float32 values, rounded on their way to the file
};
// Tensors that lie in memory, in the given order.
void write_safetensors(const std::string& path, const std::vector<NamedTensor>& tensors, const SafetensorsMetadata& metadata = {});

}  // namespace model
