// Log-softmax of a row in fixed chunks of 1,024, online.

namespace {

constexpr int64_t kVocabChunk = 1024;

void token_logprob_row(const float* logits, int64_t vocab, int64_t target, float inverse_temperature, float* logprob, float* entropy,
                       float* log_z) {
  const V16 t = v_set(inverse_temperature), minus_infinity = v_set(-__builtin_inff());
  float m = -__builtin_inff(), sum = 0.0f, weighted = 0.0f;
  for (int64_t first = 0; first < vocab; first += kVocabChunk) {
    const int64_t end = first + kVocabChunk < vocab ? first + kVocabChunk : vocab;
    V16 largest = minus_infinity;
    for (int64_t v = first; v < end; v += 16) {
      const int n = end - v < 16 ? static_cast<int>(end - v) : 16;
      largest = v_max(largest, v_keep_first(v_mul(v_load_first(logits + v, n), t), n, minus_infinity));
    }
    const float chunk_max = v_largest(largest);
    const float new_max = m > chunk_max ? m : chunk_max;
    const V16 shift = v_set(new_max);
    V16 s = v_zero(), w = v_zero();
    for (int64_t v = first; v < end; v += 16) {
      const int n = end - v < 16 ? static_cast<int>(end - v) : 16;
      const V16 z = v_mul(v_load_first(logits + v, n), t);
      const V16 e = v_keep_first(v_exp(v_sub(z, shift)), n, v_zero());
      s = v_add(s, e);
      w = v_fma(e, z, w);
    }
    const float correction = s_exp(m - new_max);
    sum = sum * correction + v_sum(s);
    weighted = weighted * correction + v_sum(w);
    m = new_max;
  }
  *log_z = m + s_log(sum);
  *entropy = *log_z - weighted / sum;
  *logprob = target >= 0 ? logits[target] * inverse_temperature - *log_z : 0.0f;
}

// dlogits of one row; elements from `vocab` to `width` become 0.
template <typename Store>
PONDER_INLINE void logit_gradient(const float* logits, int64_t vocab, int64_t target, float inverse_temperature, float log_z, float entropy,
                                  float dlogprob, float dentropy, Store store) {
  const V16 t = v_set(inverse_temperature), z0 = v_set(log_z), h = v_set(entropy);
  const V16 dl = v_set(-dlogprob), dh = v_set(-dentropy);
  for (int64_t v = 0; v < vocab; v += 16) {
    const int n = vocab - v < 16 ? static_cast<int>(vocab - v) : 16;
    const V16 logp = v_sub(v_mul(v_load_first(logits + v, n), t), z0);
    const V16 p = v_exp(logp);
    V16 g = v_mul(v_mul(p, v_fma(dh, v_add(logp, h), dl)), t);
    if (target >= v && target < v + 16) {
      float lanes[16];
      v_store(lanes, g);
      lanes[target - v] = lanes[target - v] + dlogprob * inverse_temperature;
      g = v_load(lanes);
    }
    store(v, g, n);
  }
}

void logit_gradient_row_bf16(const float* logits, int64_t vocab, int64_t width, int64_t target, float inverse_temperature, float log_z,
                             float entropy, float dlogprob, float dentropy, void* out) {
  uint16_t* to = static_cast<uint16_t*>(out);
  logit_gradient(logits, vocab, target, inverse_temperature, log_z, entropy, dlogprob, dentropy,
                 [&](int64_t v, V16 g, int n) { v_store_bf16_first(to + v, g, n); });
  for (int64_t v = vocab; v < width; ++v) to[v] = 0;
}

void logit_gradient_row_f32(const float* logits, int64_t vocab, int64_t width, int64_t target, float inverse_temperature, float log_z,
                            float entropy, float dlogprob, float dentropy, void* out) {
  float* to = static_cast<float*>(out);
  logit_gradient(logits, vocab, target, inverse_temperature, log_z, entropy, dlogprob, dentropy,
                 [&](int64_t v, V16 g, int n) { v_store_first(to + v, g, n); });
  for (int64_t v = vocab; v < width; ++v) to[v] = 0.0f;
}

}  // namespace
