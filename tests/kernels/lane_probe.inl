#include "kernels/isa/math.inl"
#include "tests/kernels/lane_probe.h"

namespace {

void probe_lane(Lane lane, const uint32_t* wa, const uint32_t* wb, const uint32_t* wc, int n, uint32_t* out) {
  const float* fa = reinterpret_cast<const float*>(wa);
  const uint16_t* ha = reinterpret_cast<const uint16_t*>(wa);
  float* to = reinterpret_cast<float*>(out);
  uint16_t* to_half = reinterpret_cast<uint16_t*>(out);
  const V16 a = w_as_floats(w_load(wa)), b = w_as_floats(w_load(wb)), c = w_as_floats(w_load(wc));
  V16 r = v_zero();
  switch (lane) {
    case Lane::zero: break;
    case Lane::set: r = v_set(fa[0]); break;
    case Lane::load_first: r = v_load_first(fa, n); break;
    case Lane::store_first: return v_store_first(to, a, n);
    case Lane::add: r = v_add(a, b); break;
    case Lane::sub: r = v_sub(a, b); break;
    case Lane::mul: r = v_mul(a, b); break;
    case Lane::div: r = v_div(a, b); break;
    case Lane::fma: r = v_fma(a, b, c); break;
    case Lane::max: r = v_max(a, b); break;
    case Lane::min: r = v_min(a, b); break;
    case Lane::sqrt: r = v_sqrt(a); break;
    case Lane::where_less: r = v_where_less(a, b, c, a); break;
    case Lane::keep_first: r = v_keep_first(a, n, b); break;
    case Lane::times_power_of_two: r = v_times_power_of_two(a, b); break;
    case Lane::load_bf16: r = v_load_bf16(ha); break;
    case Lane::load_bf16_first: r = v_load_bf16_first(ha, n); break;
    case Lane::store_bf16: return v_store_bf16(to_half, a);
    case Lane::store_bf16_first: return v_store_bf16_first(to_half, a, n);
    case Lane::round_bf16: r = v_round_bf16(a); break;
    case Lane::low_halves: r = w_as_floats(w_low_halves(v_bits(a), v_bits(b))); break;
    case Lane::high_halves: r = w_as_floats(w_high_halves(v_bits(a), v_bits(b))); break;
    case Lane::transpose: {
      // Row i holds the words a b c from word i on; one column comes out.
      uint32_t words[48];
      for (int i = 0; i < 16; ++i) words[i] = wa[i], words[16 + i] = wb[i], words[32 + i] = wc[i];
      W16 rows[16];
      for (int i = 0; i < 16; ++i) rows[i] = w_load(words + i);
      w_transpose(rows);
      return w_store(out, rows[n % 16]);
    }
    case Lane::dot2: r = v_dot2(c, v_bits(a), v_bits(b)); break;
    case Lane::sum: r = v_set(v_sum(a)); break;
    case Lane::largest: r = v_set(v_largest(a)); break;
    case Lane::exp: r = v_exp(a); break;
    case Lane::sigmoid: r = v_sigmoid(a); break;
    case Lane::count: break;
  }
  w_store(out, v_bits(r));
}

}  // namespace
