// Block formats of ggml (ggml-common.h, ggml-quants.c): d and m are halves, q small integers.
#include <cstring>

#include "model/files/number_formats.h"
#include "model/gguf/gguf.h"

namespace model {

namespace {

constexpr GgufType kTypes[] = {{0, "F32", 1, 4},    {1, "F16", 1, 2},      {30, "BF16", 1, 2},    {8, "Q8_0", 32, 34},
                               {2, "Q4_0", 32, 18}, {3, "Q4_1", 32, 20},   {6, "Q5_0", 32, 22},   {7, "Q5_1", 32, 24},
                               {12, "Q4_K", 256, 144}, {13, "Q5_K", 256, 176}, {14, "Q6_K", 256, 210}};

float half_at(const unsigned char* at) { return float_from_half(load<uint16_t>(at)); }

// d, then 32 int8: x = d q.
void q8_0(const unsigned char* block, float* out) {
  const float d = half_at(block);
  for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(static_cast<int8_t>(block[2 + i]));
}

// d, then 16 bytes; low halves are elements 0..15, high halves 16..31: x = d (q - 8).
void q4_0(const unsigned char* block, float* out) {
  const float d = half_at(block);
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>((block[2 + i] & 15) - 8);
    out[i + 16] = d * static_cast<float>((block[2 + i] >> 4) - 8);
  }
}

// d, m, then 16 bytes as in Q4_0: x = d q + m.
void q4_1(const unsigned char* block, float* out) {
  const float d = half_at(block), m = half_at(block + 2);
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>(block[4 + i] & 15) + m;
    out[i + 16] = d * static_cast<float>(block[4 + i] >> 4) + m;
  }
}

// Element i of 32 with five bits: the low four as in Q4_0, the fifth is bit i of `high`.
int five_bits(const unsigned char* nibbles, uint32_t high, int i) {
  const int low = i < 16 ? nibbles[i] & 15 : nibbles[i - 16] >> 4;
  return low | static_cast<int>((high >> i & 1) << 4);
}

// d, 32 fifth bits, 16 bytes: x = d (q - 16).
void q5_0(const unsigned char* block, float* out) {
  const float d = half_at(block);
  const auto high = load<uint32_t>(block + 2);
  for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(five_bits(block + 6, high, i) - 16);
}

// d, m, 32 fifth bits, 16 bytes: x = d q + m.
void q5_1(const unsigned char* block, float* out) {
  const float d = half_at(block), m = half_at(block + 2);
  const auto high = load<uint32_t>(block + 4);
  for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(five_bits(block + 8, high, i)) + m;
}

// Scale and minimum of group j of 8, six bits each in 12 bytes: the first four scales and minima have bytes of their own,
// whose top two bits, with a nibble of the last four bytes, are the other four.
struct ScaleAndMinimum {
  float scale, minimum;
};
ScaleAndMinimum group_of(const unsigned char* packed, int j) {
  if (j < 4) return {static_cast<float>(packed[j] & 63), static_cast<float>(packed[j + 4] & 63)};
  const int scale = (packed[j + 4] & 15) | (packed[j - 4] >> 6) << 4;
  const int minimum = (packed[j + 4] >> 4) | (packed[j] >> 6) << 4;
  return {static_cast<float>(scale), static_cast<float>(minimum)};
}

// d, m, 8 scales s and minima n of 32 elements each, [fifth bits,] 128 bytes whose low halves are the even groups and high
// halves the odd ones: x = (d s) q - m n. `fifth` is nullptr, or 32 bytes whose bit j belongs to group j.
void k_groups(const unsigned char* block, const unsigned char* fifth, const unsigned char* nibbles, float* out) {
  const float d = half_at(block), m = half_at(block + 2);
  for (int j = 0; j < 8; ++j) {
    const auto group = group_of(block + 4, j);
    const float scale = d * group.scale, minimum = m * group.minimum;
    for (int i = 0; i < 32; ++i) {
      const int byte = nibbles[32 * (j / 2) + i], low = j % 2 == 0 ? byte & 15 : byte >> 4;
      const int q = fifth ? low | (fifth[i] >> j & 1) << 4 : low;
      out[32 * j + i] = scale * static_cast<float>(q) - minimum;
    }
  }
}

void q4_k(const unsigned char* block, float* out) { k_groups(block, nullptr, block + 16, out); }
void q5_k(const unsigned char* block, float* out) { k_groups(block, block + 16, block + 48, out); }

// 128 bytes of low nibbles, 64 bytes of high pairs of bits, 16 int8 scales (one for 16 elements), d: x = d s (q - 32).
void q6_k(const unsigned char* block, float* out) {
  const float d = half_at(block + 208);
  for (int half = 0; half < 2; ++half) {
    const unsigned char *low = block + 64 * half, *high = block + 128 + 32 * half, *scales = block + 192 + 8 * half;
    for (int quarter = 0; quarter < 4; ++quarter) {
      for (int i = 0; i < 32; ++i) {
        const int nibble = quarter < 2 ? low[i + 32 * (quarter % 2)] & 15 : low[i + 32 * (quarter % 2)] >> 4;
        const int q = nibble | ((high[i] >> (2 * quarter)) & 3) << 4;
        const float scale = d * static_cast<float>(static_cast<int8_t>(scales[2 * quarter + i / 16]));
        out[128 * half + 32 * quarter + i] = scale * static_cast<float>(q - 32);
      }
    }
  }
}

}  // namespace

const GgufType* find_gguf_type(uint32_t id) {
  for (const auto& type : kTypes)
    if (type.id == id) return &type;
  return nullptr;
}

std::string gguf_type_names() {
  std::string names;
  for (const auto& type : kTypes) names += (names.empty() ? "" : ", ") + std::string(type.name);
  return names;
}

void dequantize(const GgufType& type, const unsigned char* data, int64_t count, float* out) {
  const auto each_block = [&](auto convert) {
    for (int64_t i = 0; i < count / type.block_elements; ++i) convert(data + i * type.block_bytes, out + i * type.block_elements);
  };
  switch (type.id) {
    case 0:
      std::memcpy(out, data, static_cast<size_t>(count) * 4);
      break;
    case 1:
      each_block([](auto* in, float* x) { *x = half_at(in); });
      break;
    case 30:
      each_block([](auto* in, float* x) { *x = float_from_bf16(load<uint16_t>(in)); });
      break;
    case 8:
      each_block(q8_0);
      break;
    case 2:
      each_block(q4_0);
      break;
    case 3:
      each_block(q4_1);
      break;
    case 6:
      each_block(q5_0);
      break;
    case 7:
      each_block(q5_1);
      break;
    case 12:
      each_block(q4_k);
      break;
    case 13:
      each_block(q5_k);
      break;
    case 14:
      each_block(q6_k);
      break;
  }
}

}  // namespace model
