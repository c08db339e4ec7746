// Scores of experts, and the weighted sum of their outputs.

namespace {

void router_softmax(const float* logits, float* scores, int64_t rows, int64_t experts) {
  for (int64_t n = 0; n < rows; ++n, logits += experts, scores += experts) {
    const V16 nothing = v_set(-__builtin_inff());
    V16 most = nothing, sum = v_zero();
    each_sixteen(experts, [&](int64_t e, auto part) { most = v_max(most, or_else(load(logits + e, part), part, nothing)); });
    const V16 largest = v_set(v_largest(most));
    each_sixteen(experts, [&](int64_t e, auto part) {
      const V16 p = v_exp(v_sub(load(logits + e, part), largest));
      store(scores + e, p, part);
      sum = v_add(sum, or_else(p, part, v_zero()));
    });
    const V16 total = v_set(v_sum(sum));
    each_sixteen(experts, [&](int64_t e, auto part) { store(scores + e, v_div(load(scores + e, part), total), part); });
  }
}

void router_sigmoid(const float* logits, float* scores, int64_t rows, int64_t experts) {
  each_sixteen(rows * experts, [=](int64_t i, auto part) { store(scores + i, v_sigmoid(load(logits + i, part)), part); });
}

// One row: out = sum of weights[s] * y[entries[s]] over the slots in order.
void combine_experts(const float* y, const int64_t* entries, const float* weights, int64_t slots, float* out, int64_t width) {
  each_sixteen(width, [=](int64_t i, auto part) {
    V16 sum = v_zero();
    for (int64_t s = 0; s < slots; ++s)
      if (entries[s] >= 0) sum = v_fma(v_set(weights[s]), load(y + entries[s] * width + i, part), sum);
    store(out + i, sum, part);
  });
}

// One entry: dy = weight * dout; returns dout . y.
template <typename Out>
PONDER_INLINE float combine_backward_to(const float* dout, const float* y, float weight, Out* dy, int64_t width) {
  V16 sum = v_zero();
  each_sixteen(width, [&](int64_t i, auto part) {
    const V16 d = load(dout + i, part);
    store(dy + i, v_mul(v_set(weight), d), part);
    sum = v_fma(d, load(y + i, part), sum);
  });
  return v_sum(sum);
}

float combine_backward_f32(const float* dout, const float* y, float weight, float* dy, int64_t width) {
  return combine_backward_to(dout, y, weight, dy, width);
}
float combine_backward_bf16(const float* dout, const float* y, float weight, uint16_t* dy, int64_t width) {
  return combine_backward_to(dout, y, weight, dy, width);
}

}  // namespace
