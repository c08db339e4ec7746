// What a model folder or a GGUF file holds, without loading its weights: one JSON object, and its table for people.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace rl {

// Keys: path, architecture, layers (runs of equal ones), parameters, bytes, cache_bytes_per_token, positions, weights (null
// where there are none), tokenizer (null), chat_template, files, memory {budget, training, serving}, notes. Sizes in bytes.
// `budget`: what the memory plans are compared with. Throws UsageError where the config cannot be read.
nlohmann::ordered_json inspect_model(const std::string& path, int64_t budget);

std::string inspect_table(const nlohmann::ordered_json& report);

}  // namespace rl
