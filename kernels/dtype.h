// The type in which weights, and the inputs of products, are held. Sums are float32 in both.
#pragma once

#include <cstdint>
#include <string_view>

namespace kernels {

enum class Dtype { float32, bf16 };

Dtype parse_dtype(std::string_view name);  // "float32" or "bf16"; throws UsageError
std::string_view name_of(Dtype dtype);
int64_t bytes_of(Dtype dtype);

}  // namespace kernels
