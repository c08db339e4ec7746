#include "kernels/isa/simd_plain.h"
// first the lanes, then what is made of them
#include "kernels/isa/kernels.inl"

const CpuKernels& cpu_kernels_plain() {
  static constinit const CpuKernels table = make_table("plain");
  return table;
}
