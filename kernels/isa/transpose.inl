// Layout changes between row-major matrices and panels of 64 columns, 16 x 16 words at a time. They move bits and do no
// arithmetic.

namespace {

PONDER_INLINE uint32_t pair_of(uint16_t a, uint16_t b) { return a | static_cast<uint32_t>(b) << 16; }
PONDER_INLINE void store_word(uint16_t* p, uint32_t x) { __builtin_memcpy(p, &x, 4); }
PONDER_INLINE uint32_t load_word(const uint16_t* p) { uint32_t x; __builtin_memcpy(&x, p, 4); return x; }

// out[n][0..cols)[2] = the pair (W[first + 2n, k], W[first + 2n + 1, k]) for columns k = k0 + 0.., from bf16 panels
// [N/64][K/2][64][2]. `first` and `count` are even; k0 is even.
void transpose_panel_bf16(const uint16_t* panels, int64_t k_pairs, int64_t first, int64_t count, int64_t k0, int64_t cols, uint16_t* out) {
  for (int64_t n = 0; n < count;) {
    const int64_t row = first + n, group = row % 64 + 16 <= 64 && n + 16 <= count ? 16 : 2;
    const uint16_t* from = panels + (row / 64 * k_pairs * 64 + k0 / 2 * 64 + row % 64) * 2;  // a word holds columns k, k + 1
    uint16_t* to = out + n * 64;
    int64_t k = 0;
    for (; group == 16 && k + 32 <= cols; k += 32) {
      W16 words[16];
      for (int i = 0; i < 16; ++i) words[i] = w_load(reinterpret_cast<const uint32_t*>(from) + (k / 2 + i) * 64);
      w_transpose(words);
      for (int i = 0; i < 16; i += 2)
        w_store_interleaved(reinterpret_cast<uint32_t*>(to) + i * 32 + k, w_low_halves(words[i], words[i + 1]),
                            w_high_halves(words[i], words[i + 1]));
    }
    for (; k < cols; k += 2)
      for (int64_t i = 0; i < group; i += 2) {
        const uint32_t a = load_word(from + k * 64 + 2 * i), b = load_word(from + k * 64 + 2 * i + 2);
        store_word(to + i * 64 + 2 * k, (a & 0xffffu) | b << 16);
        store_word(to + i * 64 + 2 * k + 2, a >> 16 | (b & 0xffff0000u));
      }
    n += group;
  }
}

// to[c][r] = from[r][c] for words.
PONDER_INLINE void transpose_words(const uint32_t* from, int64_t from_stride, int64_t rows, int64_t cols, uint32_t* to, int64_t to_stride) {
  for (int64_t r = 0; r < rows; r += 16)
    for (int64_t c = 0; c < cols; c += 16) {
      if (r + 16 <= rows && c + 16 <= cols) {
        W16 words[16];
        for (int i = 0; i < 16; ++i) words[i] = w_load(from + (r + i) * from_stride + c);
        w_transpose(words);
        for (int i = 0; i < 16; ++i) w_store(to + (c + i) * to_stride + r, words[i]);
        continue;
      }
      for (int64_t j = c; j < cols && j < c + 16; ++j)
        for (int64_t i = r; i < rows && i < r + 16; ++i) to[j * to_stride + i] = from[i * from_stride + j];
    }
}

void transpose_u32(const uint32_t* from, int64_t from_stride, int64_t rows, int64_t cols, uint32_t* to, int64_t to_stride) {
  transpose_words(from, from_stride, rows, cols, to, to_stride);
}

// out[n][0..cols) = W[first + n, k0 + 0..] from float32 panels [N/64][K][64].
void transpose_panel_f32(const float* panels, int64_t k_count, int64_t first, int64_t count, int64_t k0, int64_t cols, float* out) {
  for (int64_t n = 0; n < count;) {
    const int64_t row = first + n, rest = 64 - row % 64, group = count - n < rest ? count - n : rest;
    transpose_words(reinterpret_cast<const uint32_t*>(panels + row / 64 * k_count * 64 + k0 * 64 + row % 64), 64, cols, group,
                    reinterpret_cast<uint32_t*>(out + n * 64), 64);
    n += group;
  }
}

// to[c][r] = from[r][c]; rows and to_stride are even.
void transpose_u16(const uint16_t* from, int64_t from_stride, int64_t rows, int64_t cols, uint16_t* to, int64_t to_stride) {
  for (int64_t r = 0; r < rows; r += 32)
    for (int64_t c = 0; c < cols; c += 16) {
      if (r + 32 <= rows && c + 16 <= cols) {
        W16 words[16];
        for (int i = 0; i < 16; ++i) {
          const uint16_t* a = from + (r + 2 * i) * from_stride + c;
          words[i] = w_pair(a, a + from_stride);
        }
        w_transpose(words);
        for (int i = 0; i < 16; ++i) w_store(reinterpret_cast<uint32_t*>(to + (c + i) * to_stride + r), words[i]);
        continue;
      }
      for (int64_t j = c; j < cols && j < c + 16; ++j)
        for (int64_t i = r; i < rows && i < r + 32; ++i) to[j * to_stride + i] = from[i * from_stride + j];
    }
}

// out[r][c][2] = (from[2r][c], from[2r + 1][c]); rows is even. Columns from `cols` to 63 are left as they are: their sums
// are never stored.
void pair_rows_bf16(const uint16_t* from, int64_t stride, int64_t rows, int64_t cols, uint16_t* out) {
  for (int64_t r = 0; r < rows; r += 2) {
    const uint16_t *a = from + r * stride, *b = a + stride;
    uint16_t* to = out + r * 64;
    int64_t c = 0;
    for (; c + 16 <= cols; c += 16) w_store(reinterpret_cast<uint32_t*>(to + 2 * c), w_pair(a + c, b + c));
    for (; c < cols; ++c) store_word(to + 2 * c, pair_of(a[c], b[c]));
  }
}

void copy_rows_f32(const float* from, int64_t stride, int64_t rows, int64_t cols, float* out) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < cols; ++c) out[r * 64 + c] = from[r * stride + c];
}

}  // namespace
