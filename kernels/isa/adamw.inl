// AdamW, elementwise, and the pass over gradients that goes before it.

namespace {

void adamw(float* w, float* gradient, float* m, float* v, int64_t n, const AdamwFactors* f) {
  const V16 scale = v_set(f->gradient_scale), b1 = v_set(f->beta1), c1 = v_set(f->one_minus_beta1), b2 = v_set(f->beta2),
            c2 = v_set(f->one_minus_beta2), fix1 = v_set(f->first_correction), fix2 = v_set(f->second_correction),
            eps = v_set(f->eps), decay = v_set(f->weight_decay), minus_lr = v_set(-f->lr);
  each_sixteen(n, [=](int64_t i, auto part) {
    const V16 g = v_mul(load(gradient + i, part), scale);
    const V16 first = v_fma(b1, load(m + i, part), v_mul(c1, g));
    const V16 second = v_fma(b2, load(v + i, part), v_mul(c2, v_mul(g, g)));
    const V16 old = load(w + i, part);
    const V16 direction = v_div(v_mul(first, fix1), v_add(v_sqrt(v_mul(second, fix2)), eps));
    store(m + i, first, part);
    store(v + i, second, part);
    store(gradient + i, v_zero(), part);
    store(w + i, v_fma(minus_lr, v_fma(decay, old, direction), old), part);
  });
}

// Element i belongs to sum i % 16.
double sum_of_squares(const float* x, int64_t n) {
  double sums[16] = {};
  int64_t i = 0;
  for (; i + 16 <= n; i += 16)
    for (int j = 0; j < 16; ++j) sums[j] += static_cast<double>(x[i + j]) * static_cast<double>(x[i + j]);
  for (int j = 0; i + j < n; ++j) sums[j] += static_cast<double>(x[i + j]) * static_cast<double>(x[i + j]);
  for (int step = 8; step >= 1; step /= 2)
    for (int j = 0; j < step; ++j) sums[j] += sums[j + step];
  return sums[0];
}

}  // namespace
