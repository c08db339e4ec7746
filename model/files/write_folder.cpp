#include "model/files/write_folder.h"

#include <ATen/ops/from_blob.h>

#include <algorithm>

#include "kernels/error.h"
#include "model/families/tensor_names.h"
#include "model/files/folder_files.h"

namespace model {

namespace {

constexpr int64_t kPiece = int64_t{1} << 22;  // elements that are converted at once

void write_elements(const kernels::ReadRun& read, int64_t first, int64_t count, const std::string& dtype, const WriteBytes& write) {
  const at::Tensor scratch = kernels::empty_f32({std::min(kPiece, count)});
  for (int64_t at = 0; at < count; at += kPiece) {
    const int64_t n = std::min(kPiece, count - at);
    const float* values = read(first + at, n, kernels::f32(scratch));
    if (dtype == "F32") {
      write(values, static_cast<size_t>(n) * 4);
      continue;
    }
    const at::Tensor exact = at::from_blob(const_cast<float*>(values), {n}, at::kFloat);
    const at::Tensor stored = dtype == "BF16" ? kernels::rounded(exact, kernels::Dtype::bf16) : exact.to(at::kHalf);
    write(stored.data_ptr(), static_cast<size_t>(n) * 2);
  }
}

StreamedTensor streamed(const std::string& name, std::vector<int64_t> shape, const std::string& dtype,
                        const kernels::ReadRun& read, int64_t first) {
  int64_t count = 1;
  for (const int64_t n : shape) count *= n;
  return {name, dtype, std::move(shape), count * (dtype == "F32" ? 4 : 2),
          [=](const WriteBytes& write) { write_elements(read, first, count, dtype, write); }};
}

}  // namespace

std::vector<StreamedTensor> tensors_of(const ModelConfig& config, const Parameter& p, const std::string& dtype,
                                       const kernels::ReadRun& read) {
  const auto names = file_names(config, p);
  if (!is_experts(p)) return {streamed(names[0], p.shape, dtype, read, 0)};
  std::vector<StreamedTensor> experts;
  for (int64_t e = 0; e < p.shape[0]; ++e)
    experts.push_back(
        streamed(names[static_cast<size_t>(e)], {p.shape[1], p.shape[2]}, dtype, read, e * p.shape[1] * p.shape[2]));
  return experts;
}

void write_weights(const std::string& directory, const ParameterStore& store, kernels::Dtype dtype, int64_t shard_bytes) {
  std::vector<StreamedTensor> tensors;
  for (const auto& p : store.parameters()) {
    const float* values = kernels::f32(store.master) + p.offset;
    const char* type = dtype == kernels::Dtype::bf16 && !p.compute_float32 ? "BF16" : "F32";
    for (auto& tensor : tensors_of(store.config(), p, type, [values](int64_t first, int64_t, float*) { return values + first; }))
      tensors.push_back(std::move(tensor));
  }
  write_shards(directory, tensors, shard_bytes);
}

void write_model(const std::string& directory, const ParameterStore& store, const Tokenizer& tokenizer, kernels::Dtype dtype,
                 const std::string& chat_template, const SourceFiles& source) {
  make_folder(directory);
  write_weights(directory, store, dtype);
  write_folder_files(directory, store.config(), dtype, tokenizer, chat_template, source);
}

}  // namespace model
