// Elementwise: sums and changes of type.

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

}  // namespace
