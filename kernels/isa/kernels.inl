// All inner loops, in terms of the sixteen lanes of simd_*.h, and the table of them.
#include "kernels/isa/table.h"

#include "kernels/isa/math.inl"

#include "kernels/isa/linear.inl"

namespace {

constexpr CpuKernels make_table(const char* name) {
  return CpuKernels{
      .name = name,
      .product_bf16 = product_bf16,
      .product_f32 = product_f32,
  };
}

}  // namespace
