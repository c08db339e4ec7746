#include "kernels/isa/simd_avx2.h"
// first the lanes, then what is made of them
#include "kernels/isa/kernels.inl"

const CpuKernels& cpu_kernels_avx2() {
  static constinit const CpuKernels table = make_table("avx2");
  return table;
}
