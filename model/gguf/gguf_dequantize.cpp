// Block formats of ggml (ggml-common.h, ggml-quants.c): d and m are halves, q small integers.
#include <cstring>

#include "model/gguf/gguf.h"
#include "model/files/number_formats.h"

namespace model {

namespace {

constexpr GgufType kTypes[] = {{0, "F32", 1, 4},    {1, "F16", 1, 2},    {30, "BF16", 1, 2},    {8, "Q8_0", 32, 34},
                               {2, "Q4_0", 32, 18}, {3, "Q4_1", 32, 20}, {14, "Q6_K", 256, 210}};

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
    case 14:
      each_block(q6_k);
      break;
  }
}

}  // namespace model
