// The one quantised format that is read: float8 E4M3 matrices with a float32 scale a block, as DeepSeek-V3 and Qwen3's FP8
// releases have it. W[i, j] = value[i, j] * weight_scale_inv[i / rows, j / columns].
#pragma once

#include <optional>

#include "model/files/json_fields.h"

namespace model {

struct Fp8Blocks {
  int64_t rows = 0, columns = 0;
};

// From config.json's quantization_config; nothing when there is none. Any other quantised format is refused by name.
std::optional<Fp8Blocks> read_fp8_blocks(const JsonFields& config);

}  // namespace model
