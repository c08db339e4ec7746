// Passes over logits, a chunk at a time.

namespace {

// The largest of n logits; NaN if one of them is NaN or +inf.
float largest_logit(const float* x, int64_t n) {
  const V16 nothing = v_set(-__builtin_inff()), limit = v_set(__builtin_inff());
  V16 most = nothing, bad = v_zero();
  each_sixteen(n, [&](int64_t i, auto part) {
    const V16 v = or_else(load(x + i, part), part, nothing);
    most = v_max(most, v);
    bad = v_where_less(v, limit, bad, v_set(1.0f));
  });
  return v_largest(bad) > 0.0f ? __builtin_nanf("") : v_largest(most);
}

// e^((x - largest) * inverse_temperature)
PONDER_INLINE V16 weight_of(V16 x, V16 largest, V16 inverse_temperature) {
  return v_exp(v_mul(v_sub(x, largest), inverse_temperature));
}

float sum_of_weights(const float* x, int64_t n, float largest, float inverse_temperature) {
  V16 sum = v_zero();
  each_sixteen(n, [&](int64_t i, auto part) {
    sum = v_add(sum, or_else(weight_of(load(x + i, part), v_set(largest), v_set(inverse_temperature)), part, v_zero()));
  });
  return v_sum(sum);
}

void weights_of_logits(const float* x, float* weights, int64_t n, float largest, float inverse_temperature) {
  each_sixteen(n, [=](int64_t i, auto part) {
    store(weights + i, weight_of(load(x + i, part), v_set(largest), v_set(inverse_temperature)), part);
  });
}

}  // namespace
