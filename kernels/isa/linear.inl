// Products with a panel of 64 weight columns.
//
// A block of rows keeps its 64 sums a row in registers while k runs from 0 up: one chain of fma per output, whatever the
// number of rows.

namespace {

template <int kRows>
PONDER_INLINE void product_rows_bf16(const uint16_t* a, int64_t lda, const uint16_t* panel, int64_t k_pairs, float* c,
                                     int64_t ldc, bool accumulate) {
  V16 acc[kRows][4];
  for (int r = 0; r < kRows; ++r)
    for (int j = 0; j < 4; ++j) acc[r][j] = accumulate ? v_load(c + r * ldc + 16 * j) : v_zero();
  const uint32_t* w = reinterpret_cast<const uint32_t*>(panel);
  for (int64_t k = 0; k < k_pairs; ++k, w += 64) {
    W16 b[4];
    for (int j = 0; j < 4; ++j) b[j] = w_load(w + 16 * j);
    for (int r = 0; r < kRows; ++r) {
      uint32_t pair;
      __builtin_memcpy(&pair, a + r * lda + 2 * k, 4);
      const W16 x = w_set(pair);
      for (int j = 0; j < 4; ++j) acc[r][j] = v_dot2(acc[r][j], x, b[j]);
    }
  }
  for (int r = 0; r < kRows; ++r)
    for (int j = 0; j < 4; ++j) v_store(c + r * ldc + 16 * j, acc[r][j]);
}

template <int kRows>
PONDER_INLINE void product_rows_f32(const float* a, int64_t lda, const float* panel, int64_t k_count, float* c, int64_t ldc,
                                    bool accumulate) {
  V16 acc[kRows][4];
  for (int r = 0; r < kRows; ++r)
    for (int j = 0; j < 4; ++j) acc[r][j] = accumulate ? v_load(c + r * ldc + 16 * j) : v_zero();
  for (int64_t k = 0; k < k_count; ++k, panel += 64) {
    V16 b[4];
    for (int j = 0; j < 4; ++j) b[j] = v_load(panel + 16 * j);
    for (int r = 0; r < kRows; ++r) {
      const V16 x = v_set(a[r * lda + k]);
      for (int j = 0; j < 4; ++j) acc[r][j] = v_fma(x, b[j], acc[r][j]);
    }
  }
  for (int r = 0; r < kRows; ++r)
    for (int j = 0; j < 4; ++j) v_store(c + r * ldc + 16 * j, acc[r][j]);
}

// A panel with fewer than 64 columns works in a scratch row, so nothing is written past the last column.
template <typename Rows>
PONDER_INLINE void through_scratch(float* c, int64_t ldc, int64_t cols, bool accumulate, int rows, Rows run) {
  float scratch[kRowsPerTile * 64] = {};
  if (accumulate)
    for (int r = 0; r < rows; ++r)
      for (int64_t j = 0; j < cols; ++j) scratch[r * 64 + j] = c[r * ldc + j];
  run(scratch);
  for (int r = 0; r < rows; ++r)
    for (int64_t j = 0; j < cols; ++j) c[r * ldc + j] = scratch[r * 64 + j];
}

template <int kRows>
void product_block_bf16(const uint16_t* a, int64_t lda, const uint16_t* panel, int64_t k_pairs, float* c, int64_t ldc,
                        int64_t cols, bool accumulate) {
  if (cols == 64) return product_rows_bf16<kRows>(a, lda, panel, k_pairs, c, ldc, accumulate);
  through_scratch(c, ldc, cols, accumulate, kRows,
                  [&](float* scratch) { product_rows_bf16<kRows>(a, lda, panel, k_pairs, scratch, 64, accumulate); });
}

template <int kRows>
void product_block_f32(const float* a, int64_t lda, const float* panel, int64_t k, float* c, int64_t ldc, int64_t cols,
                       bool accumulate) {
  if (cols == 64) return product_rows_f32<kRows>(a, lda, panel, k, c, ldc, accumulate);
  through_scratch(c, ldc, cols, accumulate, kRows,
                  [&](float* scratch) { product_rows_f32<kRows>(a, lda, panel, k, scratch, 64, accumulate); });
}

void product_bf16(const uint16_t* a, int64_t lda, const uint16_t* panel, int64_t k_pairs, float* c, int64_t ldc, int64_t rows,
                  int64_t cols, bool accumulate) {
  while (rows >= kRowsPerTile) {
    product_block_bf16<kRowsPerTile>(a, lda, panel, k_pairs, c, ldc, cols, accumulate);
    a += kRowsPerTile * lda, c += kRowsPerTile * ldc, rows -= kRowsPerTile;
  }
  if constexpr (kRowsPerTile > 1) {
    switch (rows) {
      case 5: return product_block_bf16<5>(a, lda, panel, k_pairs, c, ldc, cols, accumulate);
      case 4: return product_block_bf16<4>(a, lda, panel, k_pairs, c, ldc, cols, accumulate);
      case 3: return product_block_bf16<3>(a, lda, panel, k_pairs, c, ldc, cols, accumulate);
      case 2: return product_block_bf16<2>(a, lda, panel, k_pairs, c, ldc, cols, accumulate);
      case 1: return product_block_bf16<1>(a, lda, panel, k_pairs, c, ldc, cols, accumulate);
      default: return;
    }
  }
}

void product_f32(const float* a, int64_t lda, const float* panel, int64_t k, float* c, int64_t ldc, int64_t rows, int64_t cols,
                 bool accumulate) {
  while (rows >= kRowsPerTile) {
    product_block_f32<kRowsPerTile>(a, lda, panel, k, c, ldc, cols, accumulate);
    a += kRowsPerTile * lda, c += kRowsPerTile * ldc, rows -= kRowsPerTile;
  }
  if constexpr (kRowsPerTile > 1) {
    switch (rows) {
      case 5: return product_block_f32<5>(a, lda, panel, k, c, ldc, cols, accumulate);
      case 4: return product_block_f32<4>(a, lda, panel, k, c, ldc, cols, accumulate);
      case 3: return product_block_f32<3>(a, lda, panel, k, c, ldc, cols, accumulate);
      case 2: return product_block_f32<2>(a, lda, panel, k, c, ldc, cols, accumulate);
      case 1: return product_block_f32<1>(a, lda, panel, k, c, ldc, cols, accumulate);
      default: return;
    }
  }
}

}  // namespace
