// The small files of a model folder beside the weights.
#pragma once

#include <string>

#include "model/config.h"
#include "model/files/source_files.h"
#include "model/tokenizer/tokenizer.h"

namespace model {

// config.json, generation_config.json, tokenizer.json and tokenizer_config.json, each atomically, config.json last, and with
// a source all of its files byte for byte. The folder must exist. Of a source is changed, if it must be:
//   config.json            the type of the weights, and keys in which `config` is not what the source says;
//                          quantization_config and auto_map go (what is written is neither quantised nor code), and
//                          num_nextn_predict_layers becomes 0 (such layers are not written)
//   the chat template      when `chat_template` (Jinja text; empty: as the source has it) is another one
// `dtype` is the word of config.json: float32, bfloat16, float16; empty: as the source has it.
void write_folder_files(const std::string& directory, const ModelConfig& config, const std::string& dtype,
                        const Tokenizer& tokenizer, const std::string& chat_template, const SourceFiles& source = {});
void write_folder_files(const std::string& directory, const ModelConfig& config, kernels::Dtype dtype, const Tokenizer& tokenizer,
                        const std::string& chat_template, const SourceFiles& source = {});

// Of these only the tokenizer's files, the template, licences and notices: beside an adapter.
void write_tokenizer_files(const std::string& directory, const ModelConfig& config, const Tokenizer& tokenizer,
                           const std::string& chat_template, const SourceFiles& source);

// mkdir -p, with a clear UsageError.
void make_folder(const std::string& directory);

}  // namespace model
