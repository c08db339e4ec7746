// Peak probes for the benchmarks: nothing but independent fma chains in registers. They return a sum so that the
// compiler keeps them, and count in floating-point operations.

namespace {

constexpr int kProbeChains = 16;

float peak_bf16(int64_t rounds, int64_t* operations) {
  V16 acc[kProbeChains];
  for (int i = 0; i < kProbeChains; ++i) acc[i] = v_zero();
  W16 a = w_set(0x3f803f80u), b = w_set(0x00010001u);
  for (int64_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 16
    for (int i = 0; i < kProbeChains; ++i) acc[i] = v_dot2(acc[i], a, b);
  }
  *operations = rounds * kProbeChains * 16 * 4;
  V16 sum = v_zero();
  for (int i = 0; i < kProbeChains; ++i) sum = v_add(sum, acc[i]);
  return v_sum(sum);
}

float peak_f32(int64_t rounds, int64_t* operations) {
  V16 acc[kProbeChains];
  for (int i = 0; i < kProbeChains; ++i) acc[i] = v_zero();
  V16 a = v_set(1.0f), b = v_set(0.5f);
  for (int64_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 16
    for (int i = 0; i < kProbeChains; ++i) acc[i] = v_fma(a, b, acc[i]);
  }
  *operations = rounds * kProbeChains * 16 * 2;
  V16 sum = v_zero();
  for (int i = 0; i < kProbeChains; ++i) sum = v_add(sum, acc[i]);
  return v_sum(sum);
}

}  // namespace
