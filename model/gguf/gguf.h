// The GGUF format, versions 2 and 3, read as a hostile file.
//
// Layout: magic, version, counts; typed key-value pairs; tensor descriptions; padding; the data of the tensors. Source:
// ggml's docs/gguf.md. Dimensions are stored innermost first; here shapes are outermost first, as everywhere else.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace model {

// F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K: the types that can be dequantised.
struct GgufType {
  uint32_t id;
  const char* name;
  int64_t block_elements, block_bytes;
};
// nullptr for a type that is not supported.
const GgufType* find_gguf_type(uint32_t id);
std::string gguf_type_names();  // of all supported ones, for messages
// `count` elements (whole blocks) to float32, as ggml defines each type: equal bits to the PyPI library gguf 0.19.
void dequantize(const GgufType& type, const unsigned char* data, int64_t count, float* out);

struct GgufTensor {
  std::string name;
  const GgufType* type = nullptr;
  std::vector<int64_t> shape;
  int64_t elements = 0;
  const unsigned char* data = nullptr;  // into the file
};

struct GgufContent {
  nlohmann::json metadata = nlohmann::json::object();  // key -> number, string, boolean or list of these
  std::vector<GgufTensor> tensors;
  const GgufTensor* find(const std::string& name) const;
};

// Throws UsageError naming file and fault. Tensors point into `bytes`.
GgufContent parse_gguf(const unsigned char* bytes, int64_t size, const std::string& file);

}  // namespace model
