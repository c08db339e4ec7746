// exp, log and the functions made of them: our own, so that every instruction set gives the same bits.

namespace {

// e^x. Source: range reduction x = n ln2 + r with ln2 split in two (Cody and Waite), then a polynomial of degree 6 on
// |r| <= ln2/2 (Cephes' expf coefficients). Error below 2 ulp. x < -87.3 gives 0; x is clamped to 88.7 above; NaN unspecified.
PONDER_INLINE V16 v_exp(V16 x) {
  const V16 low = v_set(-87.33654f), magic = v_set(12582912.0f);  // 1.5 * 2^23: adding it rounds to a whole number
  const V16 xc = v_min(v_max(x, low), v_set(88.37626f));
  const V16 n = v_sub(v_add(v_mul(xc, v_set(1.44269504088896341f)), magic), magic);
  V16 r = v_fma(n, v_set(-0.693359375f), xc);
  r = v_fma(n, v_set(2.12194440e-4f), r);
  V16 p = v_set(1.9875691500e-4f);
  p = v_fma(p, r, v_set(1.3981999507e-3f));
  p = v_fma(p, r, v_set(8.3334519073e-3f));
  p = v_fma(p, r, v_set(4.1665795894e-2f));
  p = v_fma(p, r, v_set(1.6666665459e-1f));
  p = v_fma(p, r, v_set(5.0000001201e-1f));
  p = v_add(v_fma(p, v_mul(r, r), r), v_set(1.0f));
  return v_where_less(x, low, v_zero(), v_times_power_of_two(p, n));
}

PONDER_INLINE float s_exp(float x) {
  float lanes[16];
  v_store(lanes, v_exp(v_set(x)));
  return lanes[0];
}

PONDER_INLINE uint32_t s_bits(float f) { uint32_t u; __builtin_memcpy(&u, &f, 4); return u; }
PONDER_INLINE float s_float(uint32_t u) { float f; __builtin_memcpy(&f, &u, 4); return f; }

// Natural logarithm of a normal number > 0. Source: Cephes' logf. Error below 2 ulp. 0 and below give -inf.
PONDER_INLINE float s_log(float x) {
  if (!(x > 0.0f)) return -__builtin_inff();
  uint32_t u = s_bits(x);
  float e = static_cast<float>(static_cast<int32_t>(u >> 23) - 126);
  float m = s_float((u & 0x007fffffu) | 0x3f000000u);  // in [0.5, 1)
  if (m < 0.707106781186547524f) { e = e - 1.0f; m = m + m; }
  m = m - 1.0f;
  const float z = m * m;
  float p = 7.0376836292e-2f;
  p = __builtin_fmaf(p, m, -1.1514610310e-1f);
  p = __builtin_fmaf(p, m, 1.1676998740e-1f);
  p = __builtin_fmaf(p, m, -1.2420140846e-1f);
  p = __builtin_fmaf(p, m, 1.4249322787e-1f);
  p = __builtin_fmaf(p, m, -1.6668057665e-1f);
  p = __builtin_fmaf(p, m, 2.0000714765e-1f);
  p = __builtin_fmaf(p, m, -2.4999993993e-1f);
  p = __builtin_fmaf(p, m, 3.3333331174e-1f);
  float y = m * z * p;
  y = __builtin_fmaf(e, -2.12194440e-4f, y);
  y = __builtin_fmaf(-0.5f, z, y);
  return __builtin_fmaf(e, 0.693359375f, m + y);
}

// 1 / (1 + e^-x)
PONDER_INLINE V16 v_sigmoid(V16 x) {
  return v_div(v_set(1.0f), v_add(v_set(1.0f), v_exp(v_sub(v_zero(), x))));
}

}  // namespace
