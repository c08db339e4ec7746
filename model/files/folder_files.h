// The small files of a model folder beside the weights.
#pragma once

#include <string>

#include "model/config.h"
#include "model/tokenizer/tokenizer.h"

namespace model {

// config.json, generation_config.json, tokenizer.json (byte for byte) and tokenizer_config.json, each atomically. The
// folder must exist. `chat_template` is Jinja text; empty: none is written.
void write_folder_files(const std::string& directory, const ModelConfig& config, kernels::Dtype dtype, const Tokenizer& tokenizer,
                        const std::string& chat_template);

// mkdir -p, with a clear UsageError.
void make_folder(const std::string& directory);

}  // namespace model
