// Writes a model folder in Hugging Face's layout. checkpoint_folder.h reads it.
#pragma once

#include <string>
#include <vector>

#include "model/files/shards.h"
#include "model/files/source_files.h"
#include "model/parameter_store.h"
#include "model/tokenizer/tokenizer.h"

namespace model {

// Writes the folder (it may exist). Parameters used in float32 are saved in float32, the others in `dtype`.
// `chat_template`: Jinja text; empty: as the source has it, or none (folder_files.h).
// `source`: the small files of the folder that the model came from; empty when it was born here. Leave its config.json out
// for a model that was made into another one.
void write_model(const std::string& directory, const ParameterStore& store, const Tokenizer& tokenizer, kernels::Dtype dtype,
                 const std::string& chat_template = "", const SourceFiles& source = {});

// Only DIR/model.safetensors, or shards.
void write_weights(const std::string& directory, const ParameterStore& store, kernels::Dtype dtype,
                   int64_t shard_bytes = kShardBytes);

// The tensors that hold parameter `p` on disk: one, or one for each expert. `dtype` is F32, BF16 or F16; `read` gives the
// elements, while the tensor is written.
std::vector<StreamedTensor> tensors_of(const ModelConfig& config, const Parameter& p, const std::string& dtype,
                                       const kernels::ReadRun& read);

}  // namespace model
