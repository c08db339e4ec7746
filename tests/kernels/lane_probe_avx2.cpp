#include "kernels/isa/simd_avx2.h"
// first the lanes
#include "tests/kernels/lane_probe.inl"

void lane_probe_avx2(Lane lane, const uint32_t* a, const uint32_t* b, const uint32_t* c, int n, uint32_t* out) {
  probe_lane(lane, a, b, c, n, out);
}
