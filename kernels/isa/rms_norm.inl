// RMSNorm: element i of a row belongs to lane i % 16 of its sums.

namespace {

template <typename Out>
void rms_norm_rows(const float* x, int64_t ldx, const float* weight, Out* y, float* inverse, int64_t rows, int64_t width,
                   float eps) {
  for (int64_t n = 0; n < rows; ++n, x += ldx, y += width) {
    V16 sum = v_zero();
    each_sixteen(width, [&](int64_t i, auto part) {
      const V16 v = load(x + i, part);
      sum = v_fma(v, v, sum);
    });
    const V16 mean = v_div(v_set(v_sum(sum)), v_set(static_cast<float>(width)));
    const V16 inv = v_div(v_set(1.0f), v_sqrt(v_add(mean, v_set(eps))));
    v_store_first(inverse + n, inv, 1);
    each_sixteen(width, [&](int64_t i, auto part) {
      store(y + i, v_mul(v_mul(load(x + i, part), inv), load(weight + i, part)), part);
    });
  }
}

void rms_norm_rows_f32(const float* x, int64_t ldx, const float* weight, float* y, float* inverse, int64_t rows, int64_t width,
                       float eps) {
  rms_norm_rows(x, ldx, weight, y, inverse, rows, width, eps);
}
void rms_norm_rows_bf16(const float* x, int64_t ldx, const float* weight, uint16_t* y, float* inverse, int64_t rows,
                        int64_t width, float eps) {
  rms_norm_rows(x, ldx, weight, y, inverse, rows, width, eps);
}

void rms_norm_backward_rows(const float* dy, const float* x, int64_t ldx, const float* weight, const float* inverse, float* dx,
                            int64_t rows, int64_t width) {
  for (int64_t n = 0; n < rows; ++n, dy += width, x += ldx, dx += width) {
    const V16 inv = v_set(inverse[n]);
    V16 sum = v_zero();
    each_sixteen(width, [&](int64_t i, auto part) {
      sum = v_fma(v_mul(load(dy + i, part), load(weight + i, part)), v_mul(load(x + i, part), inv), sum);
    });
    const V16 mean = v_div(v_set(v_sum(sum)), v_set(static_cast<float>(width)));
    each_sixteen(width, [&](int64_t i, auto part) {
      const V16 g = v_mul(load(dy + i, part), load(weight + i, part)), xhat = v_mul(load(x + i, part), inv);
      store(dx + i, v_mul(inv, v_sub(g, v_mul(xhat, mean))), part);
    });
  }
}

// Columns keep their sums in registers over all rows.
void rms_norm_backward_weight(const float* dy, int64_t ldy, const float* x, int64_t ldx, const float* inverse, float* dweight,
                              int64_t rows, int64_t columns) {
  int64_t c = 0;
  for (; c + 64 <= columns; c += 64) {
    V16 sum[4];
    for (int j = 0; j < 4; ++j) sum[j] = v_load(dweight + c + 16 * j);
    for (int64_t n = 0; n < rows; ++n) {
      const V16 inv = v_set(inverse[n]);
      for (int j = 0; j < 4; ++j)
        sum[j] = v_fma(v_load(dy + n * ldy + c + 16 * j), v_mul(v_load(x + n * ldx + c + 16 * j), inv), sum[j]);
    }
    for (int j = 0; j < 4; ++j) v_store(dweight + c + 16 * j, sum[j]);
  }
  each_sixteen(columns - c, [&](int64_t i, auto part) {
    V16 sum = load(dweight + c + i, part);
    for (int64_t n = 0; n < rows; ++n)
      sum = v_fma(load(dy + n * ldy + c + i, part), v_mul(load(x + n * ldx + c + i, part), v_set(inverse[n])), sum);
    store(dweight + c + i, sum, part);
  });
}

}  // namespace
