// The turn of pairs (a, b) by an angle: a cos - b sin, b cos + a sin; each product and each sum rounded.

namespace {

// One row: `heads` vectors, `head_stride` apart; sin is negated to turn back.
void rope_halves(float* x, int64_t heads, int64_t head_stride, const float* cos, const float* sin, int64_t pairs, float sign) {
  for (int64_t h = 0; h < heads; ++h, x += head_stride)
    each_sixteen(pairs, [&](int64_t j, auto part) {
      const V16 a = load(x + j, part), b = load(x + pairs + j, part);
      const V16 c = load(cos + j, part), s = v_mul(load(sin + j, part), v_set(sign));
      store(x + j, v_sub(v_mul(a, c), v_mul(b, s)), part);
      store(x + pairs + j, v_add(v_mul(b, c), v_mul(a, s)), part);
    });
}

// Neighbours share no lane; the compiler shuffles them as it likes, the arithmetic stays.
void rope_interleaved(float* x, int64_t heads, int64_t head_stride, const float* cos, const float* sin, int64_t pairs,
                      float sign) {
  for (int64_t h = 0; h < heads; ++h, x += head_stride)
    for (int64_t j = 0; j < pairs; ++j) {
      const float a = x[2 * j], b = x[2 * j + 1], c = cos[j], s = sin[j] * sign;
      x[2 * j] = a * c - b * s;
      x[2 * j + 1] = b * c + a * s;
    }
}

}  // namespace
