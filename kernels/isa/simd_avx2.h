// Sixteen float32 lanes as two AVX2 registers. See simd_plain.h for the meaning of each function.
#pragma once

#include <immintrin.h>
#include <stdint.h>

#define PONDER_INLINE static inline __attribute__((always_inline))

namespace {

constexpr int kRowsPerTile = 1;  // one row's 64 sums fill half of the sixteen registers

struct V16 { __m256 lo, hi; };
struct W16 { __m256i lo, hi; };

PONDER_INLINE V16 v_zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
PONDER_INLINE V16 v_set(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
PONDER_INLINE V16 v_load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
PONDER_INLINE void v_store(float* p, V16 x) { _mm256_storeu_ps(p, x.lo); _mm256_storeu_ps(p + 8, x.hi); }
PONDER_INLINE __m256i lane_numbers(int first) {
  return _mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(first));
}
PONDER_INLINE __m256i lanes_below(int first, int n) { return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), lane_numbers(first)); }
PONDER_INLINE V16 v_load_first(const float* p, int n) {
  return {_mm256_maskload_ps(p, lanes_below(0, n)), _mm256_maskload_ps(p + 8, lanes_below(8, n))};
}
PONDER_INLINE void v_store_first(float* p, V16 x, int n) {
  _mm256_maskstore_ps(p, lanes_below(0, n), x.lo);
  _mm256_maskstore_ps(p + 8, lanes_below(8, n), x.hi);
}

PONDER_INLINE V16 v_add(V16 a, V16 b) { return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)}; }
PONDER_INLINE V16 v_sub(V16 a, V16 b) { return {_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi)}; }
PONDER_INLINE V16 v_mul(V16 a, V16 b) { return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)}; }
PONDER_INLINE V16 v_div(V16 a, V16 b) { return {_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)}; }
PONDER_INLINE V16 v_fma(V16 a, V16 b, V16 c) { return {_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)}; }
PONDER_INLINE V16 v_max(V16 a, V16 b) { return {_mm256_max_ps(a.lo, b.lo), _mm256_max_ps(a.hi, b.hi)}; }
PONDER_INLINE V16 v_min(V16 a, V16 b) { return {_mm256_min_ps(a.lo, b.lo), _mm256_min_ps(a.hi, b.hi)}; }
PONDER_INLINE V16 v_sqrt(V16 a) { return {_mm256_sqrt_ps(a.lo), _mm256_sqrt_ps(a.hi)}; }
PONDER_INLINE V16 v_where_less(V16 a, V16 b, V16 yes, V16 no) {
  return {_mm256_blendv_ps(no.lo, yes.lo, _mm256_cmp_ps(a.lo, b.lo, _CMP_LT_OQ)),
          _mm256_blendv_ps(no.hi, yes.hi, _mm256_cmp_ps(a.hi, b.hi, _CMP_LT_OQ))};
}
PONDER_INLINE V16 v_keep_first(V16 x, int n, V16 other) {
  return {_mm256_blendv_ps(other.lo, x.lo, _mm256_castsi256_ps(lanes_below(0, n))),
          _mm256_blendv_ps(other.hi, x.hi, _mm256_castsi256_ps(lanes_below(8, n)))};
}
PONDER_INLINE __m256 power_of_two(__m256 n) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23));
}
PONDER_INLINE V16 v_times_power_of_two(V16 x, V16 n) {
  return {_mm256_mul_ps(x.lo, power_of_two(n.lo)), _mm256_mul_ps(x.hi, power_of_two(n.hi))};
}
PONDER_INLINE W16 v_bits(V16 x) { return {_mm256_castps_si256(x.lo), _mm256_castps_si256(x.hi)}; }
PONDER_INLINE V16 w_as_floats(W16 x) { return {_mm256_castsi256_ps(x.lo), _mm256_castsi256_ps(x.hi)}; }

PONDER_INLINE W16 w_load(const uint32_t* p) {
  return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)), _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 8))};
}
PONDER_INLINE W16 w_set(uint32_t x) {
  return {_mm256_set1_epi32(static_cast<int>(x)), _mm256_set1_epi32(static_cast<int>(x))};
}
PONDER_INLINE void w_store(uint32_t* p, W16 x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x.lo);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 8), x.hi);
}

PONDER_INLINE __m256i pair(__m128i a, __m128i b) {
  return _mm256_or_si256(_mm256_cvtepu16_epi32(a), _mm256_slli_epi32(_mm256_cvtepu16_epi32(b), 16));
}
PONDER_INLINE W16 w_pair(const uint16_t* a, const uint16_t* b) {
  const auto *x = reinterpret_cast<const __m128i*>(a), *y = reinterpret_cast<const __m128i*>(b);
  return {pair(_mm_loadu_si128(x), _mm_loadu_si128(y)), pair(_mm_loadu_si128(x + 1), _mm_loadu_si128(y + 1))};
}
PONDER_INLINE W16 w_low_halves(W16 a, W16 b) {
  return {_mm256_blend_epi16(a.lo, _mm256_slli_epi32(b.lo, 16), 0xaa), _mm256_blend_epi16(a.hi, _mm256_slli_epi32(b.hi, 16), 0xaa)};
}
PONDER_INLINE W16 w_high_halves(W16 a, W16 b) {
  return {_mm256_blend_epi16(_mm256_srli_epi32(a.lo, 16), b.lo, 0xaa), _mm256_blend_epi16(_mm256_srli_epi32(a.hi, 16), b.hi, 0xaa)};
}
PONDER_INLINE void store_interleaved(uint32_t* p, __m256i a, __m256i b) {
  const __m256i low = _mm256_unpacklo_epi32(a, b), high = _mm256_unpackhi_epi32(a, b);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm256_permute2x128_si256(low, high, 0x20));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 8), _mm256_permute2x128_si256(low, high, 0x31));
}
PONDER_INLINE void w_store_interleaved(uint32_t* p, W16 a, W16 b) {
  store_interleaved(p, a.lo, b.lo);
  store_interleaved(p + 16, a.hi, b.hi);
}

PONDER_INLINE __m256 widen(__m128i x) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(x), 16)); }
PONDER_INLINE V16 v_load_bf16(const uint16_t* p) {
  return {widen(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))), widen(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 8)))};
}
PONDER_INLINE V16 v_load_bf16_first(const uint16_t* p, int n) {
  alignas(32) uint16_t lanes[16] = {};
  for (int i = 0; i < n; ++i) lanes[i] = p[i];
  return v_load_bf16(lanes);
}
PONDER_INLINE __m256i round_to_bf16(__m256 x) {
  const __m256i u = _mm256_castps_si256(x);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(u, 16), _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_srli_epi32(_mm256_add_epi32(u, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff))), 16);
  const __m256i nan = _mm256_or_si256(_mm256_srli_epi32(u, 16), _mm256_set1_epi32(0x40));
  return _mm256_blendv_epi8(rounded, nan, _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q)));
}
PONDER_INLINE void v_store_bf16(uint16_t* p, V16 x) {
  const __m256i packed = _mm256_packus_epi32(round_to_bf16(x.lo), round_to_bf16(x.hi));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm256_permute4x64_epi64(packed, 0xd8));
}
PONDER_INLINE void v_store_bf16_first(uint16_t* p, V16 x, int n) {
  alignas(32) uint16_t lanes[16];
  v_store_bf16(lanes, x);
  for (int i = 0; i < n; ++i) p[i] = lanes[i];
}

PONDER_INLINE V16 v_round_bf16(V16 x) {
  return {_mm256_castsi256_ps(_mm256_slli_epi32(round_to_bf16(x.lo), 16)), _mm256_castsi256_ps(_mm256_slli_epi32(round_to_bf16(x.hi), 16))};
}
PONDER_INLINE void transpose8(__m256i* r) {
  __m256i t[8], u[8];
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_epi32(r[i], r[i + 1]);
  }
  for (int i = 0; i < 8; i += 4)
    for (int j = 0; j < 2; ++j) {
      u[i + 2 * j] = _mm256_unpacklo_epi64(t[i + j], t[i + j + 2]);
      u[i + 2 * j + 1] = _mm256_unpackhi_epi64(t[i + j], t[i + j + 2]);
    }
  for (int i = 0; i < 4; ++i) {
    r[i] = _mm256_permute2x128_si256(u[i], u[i + 4], 0x20);
    r[i + 4] = _mm256_permute2x128_si256(u[i], u[i + 4], 0x31);
  }
}
PONDER_INLINE void w_transpose(W16* r) {
  __m256i a[8], b[8], c[8], d[8];
  for (int i = 0; i < 8; ++i) a[i] = r[i].lo, b[i] = r[i].hi, c[i] = r[i + 8].lo, d[i] = r[i + 8].hi;
  transpose8(a);
  transpose8(b);
  transpose8(c);
  transpose8(d);
  for (int i = 0; i < 8; ++i) r[i] = {a[i], c[i]}, r[i + 8] = {b[i], d[i]};
}

PONDER_INLINE __m256 dot2(__m256 acc, __m256i a, __m256i b) {
  const __m256i odd = _mm256_set1_epi32(static_cast<int>(0xffff0000u));
  const __m256 inner = _mm256_fmadd_ps(_mm256_castsi256_ps(_mm256_and_si256(a, odd)), _mm256_castsi256_ps(_mm256_and_si256(b, odd)), acc);
  return _mm256_fmadd_ps(_mm256_castsi256_ps(_mm256_slli_epi32(a, 16)), _mm256_castsi256_ps(_mm256_slli_epi32(b, 16)), inner);
}
PONDER_INLINE V16 v_dot2(V16 acc, W16 a, W16 b) { return {dot2(acc.lo, a.lo, b.lo), dot2(acc.hi, a.hi, b.hi)}; }

PONDER_INLINE float v_sum(V16 x) {
  const __m256 a = _mm256_add_ps(x.lo, x.hi);
  const __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  const __m128 c = _mm_add_ps(b, _mm_movehl_ps(b, b));
  return _mm_cvtss_f32(_mm_add_ss(c, _mm_movehdup_ps(c)));
}
PONDER_INLINE float v_largest(V16 x) {
  const __m256 a = _mm256_max_ps(x.lo, x.hi);
  const __m128 b = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  const __m128 c = _mm_max_ps(b, _mm_movehl_ps(b, b));
  return _mm_cvtss_f32(_mm_max_ss(c, _mm_movehdup_ps(c)));
}

}  // namespace
