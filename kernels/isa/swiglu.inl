// SwiGLU, elementwise.

namespace {

template <typename Out>
PONDER_INLINE void swiglu_to(const float* gate, const float* up, Out* y, int64_t n) {
  each_sixteen(n, [=](int64_t i, auto part) {
    const V16 g = load(gate + i, part);
    const V16 silu = v_div(g, v_add(v_set(1.0f), v_exp(v_sub(v_zero(), g))));
    store(y + i, v_mul(silu, load(up + i, part)), part);
  });
}

template <typename Out>
PONDER_INLINE void swiglu_backward_to(const float* dy, const float* gate, const float* up, Out* dgate, Out* dup, int64_t n) {
  each_sixteen(n, [=](int64_t i, auto part) {
    const V16 d = load(dy + i, part), g = load(gate + i, part), one = v_set(1.0f);
    const V16 s = v_sigmoid(g);
    const V16 slope = v_mul(s, v_fma(g, v_sub(one, s), one));
    store(dgate + i, v_mul(v_mul(d, load(up + i, part)), slope), part);
    store(dup + i, v_mul(d, v_mul(g, s)), part);
  });
}

void swiglu_f32(const float* gate, const float* up, float* y, int64_t n) { swiglu_to(gate, up, y, n); }
void swiglu_bf16(const float* gate, const float* up, uint16_t* y, int64_t n) { swiglu_to(gate, up, y, n); }
void swiglu_backward_f32(const float* dy, const float* gate, const float* up, float* dgate, float* dup, int64_t n) {
  swiglu_backward_to(dy, gate, up, dgate, dup, n);
}
void swiglu_backward_bf16(const float* dy, const float* gate, const float* up, uint16_t* dgate, uint16_t* dup, int64_t n) {
  swiglu_backward_to(dy, gate, up, dgate, dup, n);
}

}  // namespace
