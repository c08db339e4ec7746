// Sixteen float32 lanes in plain C++: the definition that the AVX2 and AVX-512 forms must equal bit for bit.
//
// Every lane operation is one IEEE operation under flush-to-zero. v_sum and v_largest use one fixed tree: lane i with
// lane i + 8, then + 4, + 2, + 1. A file of this folder includes one simd_*.h and nothing inline from std, fmt or torch.
#pragma once

#include <stdint.h>

#define PONDER_INLINE static inline __attribute__((always_inline))

namespace {

constexpr int kRowsPerTile = 1;  // rows of a product held in registers at once

struct V16 { float l[16]; };
struct W16 { uint32_t l[16]; };  // sixteen 32-bit words, each often a pair of bf16 (even element in the low half)

#define PONDER_LANES for (int i = 0; i < 16; ++i)

PONDER_INLINE float float_of_bits(uint32_t u) { float f; __builtin_memcpy(&f, &u, 4); return f; }
PONDER_INLINE uint32_t bits_of_float(float f) { uint32_t u; __builtin_memcpy(&u, &f, 4); return u; }

PONDER_INLINE V16 v_set(float x) { V16 r; PONDER_LANES r.l[i] = x; return r; }
PONDER_INLINE V16 v_zero() { return v_set(0.0f); }
PONDER_INLINE V16 v_load(const float* p) { V16 r; PONDER_LANES r.l[i] = p[i]; return r; }
// Lanes n and up are 0; their memory is not touched.
PONDER_INLINE V16 v_load_first(const float* p, int n) { V16 r; PONDER_LANES r.l[i] = i < n ? p[i] : 0.0f; return r; }
PONDER_INLINE void v_store(float* p, V16 x) { PONDER_LANES p[i] = x.l[i]; }
PONDER_INLINE void v_store_first(float* p, V16 x, int n) { for (int i = 0; i < n; ++i) p[i] = x.l[i]; }

PONDER_INLINE V16 v_add(V16 a, V16 b) { V16 r; PONDER_LANES r.l[i] = a.l[i] + b.l[i]; return r; }
PONDER_INLINE V16 v_sub(V16 a, V16 b) { V16 r; PONDER_LANES r.l[i] = a.l[i] - b.l[i]; return r; }
PONDER_INLINE V16 v_mul(V16 a, V16 b) { V16 r; PONDER_LANES r.l[i] = a.l[i] * b.l[i]; return r; }
PONDER_INLINE V16 v_div(V16 a, V16 b) { V16 r; PONDER_LANES r.l[i] = a.l[i] / b.l[i]; return r; }
PONDER_INLINE V16 v_fma(V16 a, V16 b, V16 c) { V16 r; PONDER_LANES r.l[i] = __builtin_fmaf(a.l[i], b.l[i], c.l[i]); return r; }
// As the instructions do: the second operand when the two are equal or one is NaN.
PONDER_INLINE V16 v_max(V16 a, V16 b) { V16 r; PONDER_LANES r.l[i] = a.l[i] > b.l[i] ? a.l[i] : b.l[i]; return r; }
PONDER_INLINE V16 v_min(V16 a, V16 b) { V16 r; PONDER_LANES r.l[i] = a.l[i] < b.l[i] ? a.l[i] : b.l[i]; return r; }
PONDER_INLINE V16 v_sqrt(V16 a) { V16 r; PONDER_LANES r.l[i] = __builtin_sqrtf(a.l[i]); return r; }
// a < b ? yes : no, lane by lane.
PONDER_INLINE V16 v_where_less(V16 a, V16 b, V16 yes, V16 no) { V16 r; PONDER_LANES r.l[i] = a.l[i] < b.l[i] ? yes.l[i] : no.l[i]; return r; }
// Lanes below n from x, the others from `other`.
PONDER_INLINE V16 v_keep_first(V16 x, int n, V16 other) { V16 r; PONDER_LANES r.l[i] = i < n ? x.l[i] : other.l[i]; return r; }
// x * 2^n for whole n in [-126, 127].
PONDER_INLINE V16 v_times_power_of_two(V16 x, V16 n) {
  V16 r;
  PONDER_LANES r.l[i] = x.l[i] * float_of_bits(static_cast<uint32_t>(static_cast<int32_t>(n.l[i]) + 127) << 23);
  return r;
}
PONDER_INLINE W16 v_bits(V16 x) { W16 r; PONDER_LANES r.l[i] = bits_of_float(x.l[i]); return r; }
PONDER_INLINE V16 w_as_floats(W16 x) { V16 r; PONDER_LANES r.l[i] = float_of_bits(x.l[i]); return r; }

PONDER_INLINE W16 w_load(const uint32_t* p) { W16 r; PONDER_LANES r.l[i] = p[i]; return r; }
PONDER_INLINE W16 w_set(uint32_t x) { W16 r; PONDER_LANES r.l[i] = x; return r; }
PONDER_INLINE void w_store(uint32_t* p, W16 x) { PONDER_LANES p[i] = x.l[i]; }

// Layout changes of 16-bit halves. Lane i of w_pair is a[i] (low half) and b[i].
PONDER_INLINE W16 w_pair(const uint16_t* a, const uint16_t* b) {
  W16 r;
  PONDER_LANES r.l[i] = a[i] | static_cast<uint32_t>(b[i]) << 16;
  return r;
}
PONDER_INLINE W16 w_low_halves(W16 a, W16 b) { W16 r; PONDER_LANES r.l[i] = (a.l[i] & 0xffffu) | b.l[i] << 16; return r; }
PONDER_INLINE W16 w_high_halves(W16 a, W16 b) { W16 r; PONDER_LANES r.l[i] = a.l[i] >> 16 | (b.l[i] & 0xffff0000u); return r; }
// p[0..32) = a0 b0 a1 b1 ...
PONDER_INLINE void w_store_interleaved(uint32_t* p, W16 a, W16 b) { PONDER_LANES { p[2 * i] = a.l[i]; p[2 * i + 1] = b.l[i]; } }

PONDER_INLINE V16 v_load_bf16(const uint16_t* p) { V16 r; PONDER_LANES r.l[i] = float_of_bits(static_cast<uint32_t>(p[i]) << 16); return r; }
PONDER_INLINE V16 v_load_bf16_first(const uint16_t* p, int n) {
  V16 r;
  PONDER_LANES r.l[i] = i < n ? float_of_bits(static_cast<uint32_t>(p[i]) << 16) : 0.0f;
  return r;
}
// Round to nearest, ties to even; NaN stays NaN.
PONDER_INLINE uint16_t bf16_of(float x) {
  const uint32_t u = bits_of_float(x);
  if (x != x) return static_cast<uint16_t>((u >> 16) | 0x40);
  return static_cast<uint16_t>((u + 0x7fff + ((u >> 16) & 1)) >> 16);
}
PONDER_INLINE void v_store_bf16(uint16_t* p, V16 x) { PONDER_LANES p[i] = bf16_of(x.l[i]); }
PONDER_INLINE void v_store_bf16_first(uint16_t* p, V16 x, int n) { for (int i = 0; i < n; ++i) p[i] = bf16_of(x.l[i]); }

// x rounded to bf16, as a float.
PONDER_INLINE V16 v_round_bf16(V16 x) { V16 r; PONDER_LANES r.l[i] = float_of_bits(static_cast<uint32_t>(bf16_of(x.l[i])) << 16); return r; }
// Sixteen rows become sixteen columns.
PONDER_INLINE void w_transpose(W16* r) {
  PONDER_LANES for (int j = 0; j < i; ++j) {
    const uint32_t w = r[i].l[j];
    r[i].l[j] = r[j].l[i];
    r[j].l[i] = w;
  }
}

// acc + a.even * b.even + a.odd * b.odd, each product exact, odd element first: what vdpbf16ps computes.
PONDER_INLINE V16 v_dot2(V16 acc, W16 a, W16 b) {
  V16 r;
  PONDER_LANES {
    const float inner = __builtin_fmaf(float_of_bits(a.l[i] & 0xffff0000u), float_of_bits(b.l[i] & 0xffff0000u), acc.l[i]);
    r.l[i] = __builtin_fmaf(float_of_bits(a.l[i] << 16), float_of_bits(b.l[i] << 16), inner);
  }
  return r;
}

PONDER_INLINE float v_sum(V16 x) {
  for (int step = 8; step >= 1; step /= 2)
    for (int i = 0; i < step; ++i) x.l[i] = x.l[i] + x.l[i + step];
  return x.l[0];
}
PONDER_INLINE float v_largest(V16 x) {
  for (int step = 8; step >= 1; step /= 2)
    for (int i = 0; i < step; ++i) x.l[i] = x.l[i] > x.l[i + step] ? x.l[i] : x.l[i + step];
  return x.l[0];
}

}  // namespace
