// What the tools take for a model: a folder, or a file of one.
#pragma once

#include <memory>
#include <string>

#include "model/tokenizer/tokenizer.h"

namespace rl {

bool is_gguf(const std::string& path);  // a file that begins with GGUF's magic

// Of a model folder, a tokenizer.json, or a GGUF file. Throws UsageError.
std::shared_ptr<const model::Tokenizer> open_tokenizer(const std::string& path);

}  // namespace rl
