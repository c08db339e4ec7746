// Small float formats -> float32, exactly; sizes of the types that files name. Reads from any address.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace model {

template <typename T>
T load(const unsigned char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// Bytes of an element of a safetensors dtype; 0 for a name that is none.
constexpr int64_t bytes_of_safetensors_type(std::string_view dtype) {
  constexpr struct {
    std::string_view name;
    int64_t bytes;
  } types[] = {{"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"I64", 8}, {"I32", 4},
               {"I16", 2}, {"I8", 1},  {"U64", 8}, {"U32", 4},  {"U16", 2},     {"U8", 1},      {"BOOL", 1}};
  for (const auto& type : types)
    if (dtype == type.name) return type.bytes;
  return 0;
}

inline float float_from_bf16(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

inline float float_from_half(uint16_t bits) {
  const uint32_t sign = (bits & 0x8000u) << 16, exponent = (bits >> 10) & 31u, fraction = bits & 0x3ffu;
  if (exponent == 0) {  // zero or denormal: fraction * 2^-24
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
  }
  const uint32_t wide_exponent = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | wide_exponent << 23 | fraction << 13);
}

// E4M3 without infinities: 1 sign, 4 exponent (bias 7), 3 fraction bits; all ones is NaN. arXiv:2209.05433, Table 1.
inline float float_from_e4m3(uint8_t bits) {
  const uint32_t sign = (bits & 0x80u) << 24, exponent = (bits >> 3) & 15u, fraction = bits & 7u;
  if (exponent == 0) {  // zero or denormal: fraction * 2^-9
    const float magnitude = static_cast<float>(fraction) * 0x1p-9f;
    return sign ? -magnitude : magnitude;
  }
  if (exponent == 15 && fraction == 7) return std::bit_cast<float>(sign | 0x7fc00000u);
  return std::bit_cast<float>(sign | (exponent + 120) << 23 | fraction << 20);
}

}  // namespace model
