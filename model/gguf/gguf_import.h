// A GGUF file of the families llama (Mistral too), qwen2 or qwen3 -> a model folder.
#pragma once

#include <string>

#include "kernels/dtype.h"
#include "model/config.h"
#include "model/files/shards.h"
#include "model/gguf/gguf.h"

namespace model {

// The config that the metadata and the tensors' shapes describe. Throws UsageError for an architecture, a rope scaling or
// a feature that is not imported, by its name.
ModelConfig gguf_config(const GgufContent& gguf, const std::string& file);

// Text of the tokenizer.json that the metadata describe: byte-level BPE ("gpt2") with a pre-tokenizer known by name, or
// SentencePiece BPE ("llama"), whose merges are derived from the scores.
std::string gguf_tokenizer_json(const nlohmann::json& metadata, const std::string& file);

// Dequantises into `dtype` (norms stay float32), piece by piece: memory does not grow with the model. The tokenizer and
// the chat template come from the metadata. The folder appears whole or not at all, and replaces one that stands there.
// Returns a sentence for the user: what was found and how it was quantised.
std::string import_gguf(const std::string& file, const std::string& directory, kernels::Dtype dtype = kernels::Dtype::float32,
                        int64_t shard_bytes = kShardBytes);

}  // namespace model
