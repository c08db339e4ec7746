// Elementwise: sums, changes of type, bounds; and the sum of rows.

namespace {

void add_f32(const float* x, const float* y, float* out, int64_t n) {
  each_sixteen(n, [=](int64_t i, auto part) { store(out + i, v_add(load(x + i, part), load(y + i, part)), part); });
}

void round_to_bf16(const float* x, uint16_t* out, int64_t n) {
  each_sixteen(n, [=](int64_t i, auto part) { store(out + i, load(x + i, part), part); });
}

void widen_bf16(const uint16_t* x, float* out, int64_t n) {
  each_sixteen(n, [=](int64_t i, auto part) { store(out + i, load(x + i, part), part); });
}

// Columns keep their sums in registers over all rows.
template <typename In>
PONDER_INLINE void sum_rows(const In* x, int64_t stride, float* sum, int64_t rows, int64_t columns) {
  each_sixteen(columns, [=](int64_t c, auto part) {
    V16 total = load(sum + c, part);
    for (int64_t n = 0; n < rows; ++n) total = v_add(total, load(x + n * stride + c, part));
    store(sum + c, total, part);
  });
}

void sum_rows_f32(const float* x, int64_t stride, float* sum, int64_t rows, int64_t columns) {
  sum_rows(x, stride, sum, rows, columns);
}
void sum_rows_bf16(const uint16_t* x, int64_t stride, float* sum, int64_t rows, int64_t columns) {
  sum_rows(x, stride, sum, rows, columns);
}

// The smaller and the larger give their second operand when one is NaN.
void clamp_f32(const float* x, float limit, float* out, int64_t n) {
  each_sixteen(n, [=](int64_t i, auto part) {
    store(out + i, v_max(v_set(-limit), v_min(v_set(limit), load(x + i, part))), part);
  });
}

void clamp_backward(const float* x, float limit, float* dy, int64_t n) {
  each_sixteen(n, [=](int64_t i, auto part) {
    const V16 v = load(x + i, part), size = v_max(v, v_sub(v_zero(), v));
    store(dy + i, v_where_less(v_set(limit), size, v_zero(), load(dy + i, part)), part);
  });
}

}  // namespace
