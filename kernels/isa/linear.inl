// Products with a panel of 64 weight columns.
//
// A tile of rows keeps its 64 sums a row in registers while k runs from 0 up: one chain of fma per output, whatever the
// number of rows. A step of k is a pair in bf16; in both dtypes its 64 weights are 256 bytes.

namespace {

// The operands of one dtype: how a panel's step of k is loaded and multiplied.
struct Bf16Product {
  using In = uint16_t;
  static constexpr int64_t kStep = 2;  // elements of k a step
  PONDER_INLINE W16 weights(const uint16_t* p) { return w_load(reinterpret_cast<const uint32_t*>(p)); }
  PONDER_INLINE W16 input(const uint16_t* a) {
    uint32_t pair;
    __builtin_memcpy(&pair, a, 4);
    return w_set(pair);
  }
  PONDER_INLINE V16 add(V16 acc, W16 x, W16 w) { return v_dot2(acc, x, w); }
};

struct F32Product {
  using In = float;
  static constexpr int64_t kStep = 1;
  PONDER_INLINE V16 weights(const float* p) { return v_load(p); }
  PONDER_INLINE V16 input(const float* a) { return v_set(*a); }
  PONDER_INLINE V16 add(V16 acc, V16 x, V16 w) { return v_fma(x, w, acc); }
};

// One tile. kLines cache lines of `ahead` a step are fetched and not read.
template <typename P, int kRows, int kLines>
__attribute__((noinline)) void product_tile(const typename P::In* a, int64_t lda, const typename P::In* panel, int64_t steps,
                                            float* c, int64_t ldc, bool accumulate, const char* ahead) {
  V16 acc[kRows][4];
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) acc[r][j] = accumulate ? v_load(c + r * ldc + 16 * j) : v_zero();
  for (int64_t k = 0; k < steps; ++k, panel += 64 * P::kStep, a += P::kStep, ahead += 64 * kLines) {
    decltype(P::weights(panel)) w[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) w[j] = P::weights(panel + 16 * P::kStep * j);
#pragma GCC unroll 4
    for (int line = 0; line < kLines; ++line) __builtin_prefetch(ahead + 64 * line, 0, 2);
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      const auto x = P::input(a + r * lda);
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) acc[r][j] = P::add(acc[r][j], x, w[j]);
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) v_store(c + r * ldc + 16 * j, acc[r][j]);
}

// A panel with fewer than 64 columns works in a scratch tile, so nothing is written past the last column.
template <typename P, int kRows, int kLines>
void product_columns(const typename P::In* a, int64_t lda, const typename P::In* panel, int64_t steps, float* c, int64_t ldc,
                     int64_t cols, bool accumulate, const char* ahead) {
  if (cols == 64) return product_tile<P, kRows, kLines>(a, lda, panel, steps, c, ldc, accumulate, ahead);
  float scratch[kRows * 64] = {};
  for (int r = 0; accumulate && r < kRows; ++r)
    for (int64_t j = 0; j < cols; ++j) scratch[r * 64 + j] = c[r * ldc + j];
  product_tile<P, kRows, kLines>(a, lda, panel, steps, scratch, 64, accumulate, ahead);
  for (int r = 0; r < kRows; ++r)
    for (int64_t j = 0; j < cols; ++j) c[r * ldc + j] = scratch[r * 64 + j];
}

template <typename P, int kLines>
PONDER_INLINE void product_rows(int64_t rows, const typename P::In* a, int64_t lda, const typename P::In* panel, int64_t steps, float* c,
                                int64_t ldc, int64_t cols, bool accumulate, const char* ahead) {
  switch (rows) {
    case 1: return product_columns<P, 1, kLines>(a, lda, panel, steps, c, ldc, cols, accumulate, ahead);
    case 2: if constexpr (kRowsPerTile >= 2) return product_columns<P, 2, kLines>(a, lda, panel, steps, c, ldc, cols, accumulate, ahead);
      break;
    case 3: if constexpr (kRowsPerTile >= 3) return product_columns<P, 3, kLines>(a, lda, panel, steps, c, ldc, cols, accumulate, ahead);
      break;
    case 4: if constexpr (kRowsPerTile >= 4) return product_columns<P, 4, kLines>(a, lda, panel, steps, c, ldc, cols, accumulate, ahead);
      break;
    case 5: if constexpr (kRowsPerTile >= 5) return product_columns<P, 5, kLines>(a, lda, panel, steps, c, ldc, cols, accumulate, ahead);
      break;
    case 6: if constexpr (kRowsPerTile >= 6) return product_columns<P, 6, kLines>(a, lda, panel, steps, c, ldc, cols, accumulate, ahead);
      break;
    default: break;
  }
}

// Two or three tiles take turns at the panel, kTurnSteps at a time, and the first two fetch the part that comes next, half
// each: memory, which they would wait for, is then read without a pause.
constexpr int64_t kTurnSteps = 48;

template <typename P, int kTiles>
PONDER_INLINE void product_in_turns(const typename P::In* a, int64_t lda, const typename P::In* panel, int64_t steps, float* c,
                                    int64_t ldc, int64_t rows, bool accumulate, const typename P::In* next) {
  constexpr int64_t step = 64 * P::kStep;  // elements
  for (int64_t k = 0; k < steps; k += kTurnSteps) {
    const int64_t n = smaller(kTurnSteps, steps - k), then = k + kTurnSteps;
    const auto* ahead = reinterpret_cast<const char*>(then < steps || !next ? panel + then * step : next + (then - steps) * step);
    for (int64_t t = 0, row = 0; t < kTiles; ++t) {
      const int64_t height = rows / kTiles + (t < rows % kTiles);
      const typename P::In *from = a + row * lda + k * P::kStep, *weights = panel + k * step;
      float* to = c + row * ldc;
      if (t < 2) product_rows<P, 2>(height, from, lda, weights, n, to, ldc, 64, accumulate || k > 0, ahead + t * n * 128);
      else product_rows<P, 0>(height, from, lda, weights, n, to, ldc, 64, accumulate || k > 0, nullptr);
      row += height;
    }
  }
}

template <typename P>
PONDER_INLINE void product(const typename P::In* a, int64_t lda, const typename P::In* panel, int64_t steps, float* c, int64_t ldc,
                           int64_t rows, int64_t cols, bool accumulate, const void* next) {
  // Tiles of nearly equal height: 8 rows are 4 + 4. One tile reads its panel so fast that the processor's own prefetcher
  // keeps the memory busy; of many, the first ones fetch the next panel while they calculate.
  const int64_t tiles = (rows + kRowsPerTile - 1) / kRowsPerTile;
  const auto* following = static_cast<const typename P::In*>(next);
  if (cols == 64 && steps > kTurnSteps) {
    if (tiles == 2) return product_in_turns<P, 2>(a, lda, panel, steps, c, ldc, rows, accumulate, following);
    if (tiles == 3) return product_in_turns<P, 3>(a, lda, panel, steps, c, ldc, rows, accumulate, following);
  }
  for (int64_t t = 0, row = 0; t < tiles; ++t) {
    const int64_t n = rows / tiles + (t < rows % tiles);
    const typename P::In* from = a + row * lda;
    float* to = c + row * ldc;
    if (next && tiles >= 4 && t < 4)
      product_rows<P, 1>(n, from, lda, panel, steps, to, ldc, cols, accumulate, static_cast<const char*>(next) + t * steps * 64);
    else
      product_rows<P, 0>(n, from, lda, panel, steps, to, ldc, cols, accumulate, nullptr);
    row += n;
  }
}

void product_bf16(const uint16_t* a, int64_t lda, const uint16_t* panel, int64_t k_pairs, float* c, int64_t ldc, int64_t rows,
                  int64_t cols, bool accumulate, const void* next) {
  product<Bf16Product>(a, lda, panel, k_pairs, c, ldc, rows, cols, accumulate, next);
}

void product_f32(const float* a, int64_t lda, const float* panel, int64_t k, float* c, int64_t ldc, int64_t rows, int64_t cols,
                 bool accumulate, const void* next) {
  product<F32Product>(a, lda, panel, k, c, ldc, rows, cols, accumulate, next);
}

}  // namespace
