// Weights in one safetensors file, or in several with an index.
//
// model.safetensors, or model-00001-of-0000N.safetensors and model.safetensors.index.json. Tensors keep their order; a new
// file begins where the next tensor would make one larger than the limit (a larger tensor has a file alone), so equal
// tensors give equal files. These are the names and the rule of huggingface_hub.
#pragma once

#include <string>
#include <vector>

#include "model/files/safetensors_stream.h"

namespace model {

constexpr int64_t kShardBytes = 5'000'000'000;  // transformers' own limit, in decimal gigabytes

// Writes the files into an existing folder and removes weight files of another cut. Throws kernels::Error when the disk
// refuses; each file appears whole or not at all.
void write_shards(const std::string& directory, const std::vector<StreamedTensor>& tensors, int64_t shard_bytes);

// How many files that would be.
int64_t count_shards(const std::vector<StreamedTensor>& tensors, int64_t shard_bytes);

}  // namespace model
