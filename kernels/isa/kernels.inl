// All inner loops, in terms of the sixteen lanes of simd_*.h, and the table of them.
#include "kernels/isa/table.h"

#include "kernels/isa/math.inl"
// then the loops
#include "kernels/isa/lanes.inl"

#include "kernels/isa/linear.inl"
#include "kernels/isa/tensor.inl"

namespace {

constexpr CpuKernels make_table(const char* name) {
  return CpuKernels{
      .name = name,
      .product_bf16 = product_bf16,
      .product_f32 = product_f32,
      .add = add_f32,
      .round_to_bf16 = round_to_bf16,
      .widen_bf16 = widen_bf16,
  };
}

}  // namespace
