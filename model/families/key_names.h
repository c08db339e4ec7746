// What config.json calls the fields of ModelConfig, for errors about a file. Internal to families/.
#pragma once

#include <string>

#include "model/config.h"

namespace model {

// An error of check(config) in the file's words: "key_heads: is 3 ..." becomes "num_key_value_heads: is 3 ...". The word
// before the colon is always a field; of the others only those that are no plain English ("shared_experts", not "heads").
std::string with_key_names(const std::string& message, const ModelConfig& config);

}  // namespace model
