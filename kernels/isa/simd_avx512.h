// Sixteen float32 lanes as one AVX-512 register. See simd_plain.h for the meaning of each function.
#pragma once

#include <immintrin.h>
#include <stdint.h>

#define PONDER_INLINE static inline __attribute__((always_inline))

namespace {

constexpr int kRowsPerTile = 6;  // rows of a product held in registers: 6 x 4 sums, 4 weights, 1 input

struct V16 { __m512 r; };
struct W16 { __m512i r; };

PONDER_INLINE __mmask16 first_lanes(int n) { return static_cast<__mmask16>((1u << n) - 1u); }

PONDER_INLINE V16 v_zero() { return {_mm512_setzero_ps()}; }
PONDER_INLINE V16 v_set(float x) { return {_mm512_set1_ps(x)}; }
PONDER_INLINE V16 v_load(const float* p) { return {_mm512_loadu_ps(p)}; }
PONDER_INLINE V16 v_load_first(const float* p, int n) { return {_mm512_maskz_loadu_ps(first_lanes(n), p)}; }
PONDER_INLINE void v_store(float* p, V16 x) { _mm512_storeu_ps(p, x.r); }
PONDER_INLINE void v_store_first(float* p, V16 x, int n) { _mm512_mask_storeu_ps(p, first_lanes(n), x.r); }

PONDER_INLINE V16 v_add(V16 a, V16 b) { return {_mm512_add_ps(a.r, b.r)}; }
PONDER_INLINE V16 v_sub(V16 a, V16 b) { return {_mm512_sub_ps(a.r, b.r)}; }
PONDER_INLINE V16 v_mul(V16 a, V16 b) { return {_mm512_mul_ps(a.r, b.r)}; }
PONDER_INLINE V16 v_div(V16 a, V16 b) { return {_mm512_div_ps(a.r, b.r)}; }
PONDER_INLINE V16 v_fma(V16 a, V16 b, V16 c) { return {_mm512_fmadd_ps(a.r, b.r, c.r)}; }
PONDER_INLINE V16 v_max(V16 a, V16 b) { return {_mm512_max_ps(a.r, b.r)}; }
PONDER_INLINE V16 v_min(V16 a, V16 b) { return {_mm512_min_ps(a.r, b.r)}; }
PONDER_INLINE V16 v_sqrt(V16 a) { return {_mm512_sqrt_ps(a.r)}; }
PONDER_INLINE V16 v_where_less(V16 a, V16 b, V16 yes, V16 no) {
  return {_mm512_mask_blend_ps(_mm512_cmp_ps_mask(a.r, b.r, _CMP_LT_OQ), no.r, yes.r)};
}
PONDER_INLINE V16 v_keep_first(V16 x, int n, V16 other) { return {_mm512_mask_blend_ps(first_lanes(n), other.r, x.r)}; }
PONDER_INLINE V16 v_times_power_of_two(V16 x, V16 n) {
  const __m512i bits = _mm512_slli_epi32(_mm512_add_epi32(_mm512_cvtps_epi32(n.r), _mm512_set1_epi32(127)), 23);
  return {_mm512_mul_ps(x.r, _mm512_castsi512_ps(bits))};
}
PONDER_INLINE W16 v_bits(V16 x) { return {_mm512_castps_si512(x.r)}; }
PONDER_INLINE V16 w_as_floats(W16 x) { return {_mm512_castsi512_ps(x.r)}; }

PONDER_INLINE W16 w_load(const uint32_t* p) { return {_mm512_loadu_si512(p)}; }
PONDER_INLINE W16 w_set(uint32_t x) { return {_mm512_set1_epi32(static_cast<int>(x))}; }
PONDER_INLINE void w_store(uint32_t* p, W16 x) { _mm512_storeu_si512(p, x.r); }

PONDER_INLINE __m512i widen_halves(const uint16_t* p) { return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))); }
PONDER_INLINE W16 w_pair(const uint16_t* a, const uint16_t* b) {
  return {_mm512_or_si512(widen_halves(a), _mm512_slli_epi32(widen_halves(b), 16))};
}
PONDER_INLINE W16 w_low_halves(W16 a, W16 b) { return {_mm512_mask_blend_epi16(0xaaaaaaaau, a.r, _mm512_slli_epi32(b.r, 16))}; }
PONDER_INLINE W16 w_high_halves(W16 a, W16 b) { return {_mm512_mask_blend_epi16(0xaaaaaaaau, _mm512_srli_epi32(a.r, 16), b.r)}; }
PONDER_INLINE void w_store_interleaved(uint32_t* p, W16 a, W16 b) {
  const __m512i first = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  _mm512_storeu_si512(p, _mm512_permutex2var_epi32(a.r, first, b.r));
  _mm512_storeu_si512(p + 16, _mm512_permutex2var_epi32(a.r, _mm512_add_epi32(first, _mm512_set1_epi32(8)), b.r));
}

PONDER_INLINE V16 v_load_bf16(const uint16_t* p) {
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))), 16))};
}
PONDER_INLINE V16 v_load_bf16_first(const uint16_t* p, int n) {
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(first_lanes(n), p)), 16))};
}
PONDER_INLINE __m512i round_to_bf16(__m512 x) {
  const __m512i u = _mm512_castps_si512(x);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_srli_epi32(_mm512_add_epi32(u, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
  const __m512i nan = _mm512_or_si512(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(0x40));
  return _mm512_mask_blend_epi32(_mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), rounded, nan);
}
PONDER_INLINE __m256i to_bf16(__m512 x) { return _mm512_cvtepi32_epi16(round_to_bf16(x)); }
PONDER_INLINE V16 v_round_bf16(V16 x) { return {_mm512_castsi512_ps(_mm512_slli_epi32(round_to_bf16(x.r), 16))}; }
PONDER_INLINE void w_transpose(W16* r) {
  __m512i t[16], u[16];
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(r[i].r, r[i + 1].r);
    t[i + 1] = _mm512_unpackhi_epi32(r[i].r, r[i + 1].r);
  }
  for (int i = 0; i < 16; i += 4)
    for (int j = 0; j < 2; ++j) {
      u[i + 2 * j] = _mm512_unpacklo_epi64(t[i + j], t[i + j + 2]);
      u[i + 2 * j + 1] = _mm512_unpackhi_epi64(t[i + j], t[i + j + 2]);
    }
  // u[4 a + c] holds, in its quarter q, column 4 q + c of rows 4 a .. 4 a + 3.
  for (int c = 0; c < 4; ++c) {
    const __m512i even01 = _mm512_shuffle_i32x4(u[c], u[4 + c], 0x88), odd01 = _mm512_shuffle_i32x4(u[c], u[4 + c], 0xdd);
    const __m512i even23 = _mm512_shuffle_i32x4(u[8 + c], u[12 + c], 0x88), odd23 = _mm512_shuffle_i32x4(u[8 + c], u[12 + c], 0xdd);
    r[c].r = _mm512_shuffle_i32x4(even01, even23, 0x88);
    r[8 + c].r = _mm512_shuffle_i32x4(even01, even23, 0xdd);
    r[4 + c].r = _mm512_shuffle_i32x4(odd01, odd23, 0x88);
    r[12 + c].r = _mm512_shuffle_i32x4(odd01, odd23, 0xdd);
  }
}
PONDER_INLINE void v_store_bf16(uint16_t* p, V16 x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), to_bf16(x.r)); }
PONDER_INLINE void v_store_bf16_first(uint16_t* p, V16 x, int n) { _mm256_mask_storeu_epi16(p, first_lanes(n), to_bf16(x.r)); }

PONDER_INLINE V16 v_dot2(V16 acc, W16 a, W16 b) {
  return {_mm512_dpbf16_ps(acc.r, reinterpret_cast<__m512bh>(a.r), reinterpret_cast<__m512bh>(b.r))};
}

PONDER_INLINE __m256 upper(__m512 x) { return _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(x), 1)); }
PONDER_INLINE float v_sum(V16 x) {
  const __m256 a = _mm256_add_ps(_mm512_castps512_ps256(x.r), upper(x.r));
  const __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  const __m128 c = _mm_add_ps(b, _mm_movehl_ps(b, b));
  return _mm_cvtss_f32(_mm_add_ss(c, _mm_movehdup_ps(c)));
}
PONDER_INLINE float v_largest(V16 x) {
  const __m256 a = _mm256_max_ps(_mm512_castps512_ps256(x.r), upper(x.r));
  const __m128 b = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  const __m128 c = _mm_max_ps(b, _mm_movehl_ps(b, b));
  return _mm_cvtss_f32(_mm_max_ss(c, _mm_movehdup_ps(c)));
}

}  // namespace
