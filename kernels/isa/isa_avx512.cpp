#include "kernels/isa/simd_avx512.h"
// first the lanes, then what is made of them
#include "kernels/isa/kernels.inl"

const CpuKernels& cpu_kernels_avx512() {
  static constinit const CpuKernels table = make_table("avx512");
  return table;
}
