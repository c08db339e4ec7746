// Layout changes between row-major matrices and panels of 64 columns. They move bits and do no arithmetic.

namespace {

// out[n][0..cols)[2] = the pair (W[first + 2n, k], W[first + 2n + 1, k]) for columns k = k0 + 0.., from bf16 panels
// [N/64][K/2][64][2]. `first` and `count` are even; k0 is even.
void transpose_panel_bf16(const uint16_t* panels, int64_t k_pairs, int64_t first, int64_t count, int64_t k0, int64_t cols, uint16_t* out) {
  for (int64_t n = 0; n < count; n += 2) {
    const int64_t row = first + n;
    const uint16_t* from = panels + (row / 64 * k_pairs * 64 + k0 / 2 * 64 + row % 64) * 2;
    uint64_t* to = reinterpret_cast<uint64_t*>(out + n / 2 * 128);
    for (int64_t k = 0; k < cols; k += 2, from += 128) {
      uint64_t w;  // a0 a1 | b0 b1, from the low half up: rows a and b, columns k and k + 1
      __builtin_memcpy(&w, from, 8);
      const uint64_t even = (w & 0xffffull) | ((w >> 16) & 0xffff0000ull);        // a0 b0
      const uint64_t odd = ((w >> 16) & 0xffffull) | ((w >> 32) & 0xffff0000ull);       // a1 b1
      to[k / 2] = even | (odd << 32);
    }
  }
}

// out[n][0..cols) = W[first + n, k0 + 0..] from float32 panels [N/64][K][64].
void transpose_panel_f32(const float* panels, int64_t k_count, int64_t first, int64_t count, int64_t k0, int64_t cols, float* out) {
  for (int64_t n = 0; n < count; ++n) {
    const int64_t row = first + n;
    const float* from = panels + row / 64 * k_count * 64 + k0 * 64 + row % 64;
    float* to = out + n * 64;
    for (int64_t k = 0; k < cols; ++k) to[k] = from[k * 64];
  }
}

// to[c][r] = from[r][c] for `cols` columns; blocks of 16 keep both sides in the first-level cache.
template <typename T>
PONDER_INLINE void transpose(const T* from, int64_t from_stride, int64_t rows, int64_t cols, T* to, int64_t to_stride) {
  for (int64_t r0 = 0; r0 < rows; r0 += 32) {
    const int64_t r1 = r0 + 32 < rows ? r0 + 32 : rows;
    for (int64_t c = 0; c < cols; ++c)
      for (int64_t r = r0; r < r1; ++r) to[c * to_stride + r] = from[r * from_stride + c];
  }
}

void transpose_u16(const uint16_t* from, int64_t from_stride, int64_t rows, int64_t cols, uint16_t* to, int64_t to_stride) {
  transpose(from, from_stride, rows, cols, to, to_stride);
}
void transpose_u32(const uint32_t* from, int64_t from_stride, int64_t rows, int64_t cols, uint32_t* to, int64_t to_stride) {
  transpose(from, from_stride, rows, cols, to, to_stride);
}

// out[r][c][2] = (from[2r][c], from[2r + 1][c]); rows is even. Columns from `cols` to 63 are left as they are: their sums
// are never stored.
void pair_rows_bf16(const uint16_t* from, int64_t stride, int64_t rows, int64_t cols, uint16_t* out) {
  for (int64_t r = 0; r < rows; r += 2) {
    const uint16_t *a = from + r * stride, *b = a + stride;
    uint16_t* to = out + r * 64;
    for (int64_t c = 0; c < cols; ++c) {
      to[2 * c] = a[c];
      to[2 * c + 1] = b[c];
    }
  }
}

void copy_rows_f32(const float* from, int64_t stride, int64_t rows, int64_t cols, float* out) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < cols; ++c) out[r * 64 + c] = from[r * stride + c];
}

}  // namespace
