// All inner loops, in terms of the sixteen lanes of simd_*.h, and the table of them.
#include "kernels/isa/table.h"

#include "kernels/isa/math.inl"
// then the loops
#include "kernels/isa/lanes.inl"

#include "kernels/isa/linear.inl"
#include "kernels/isa/transpose.inl"
#include "kernels/isa/attention.inl"
#include "kernels/isa/token_logprob.inl"
#include "kernels/isa/tensor.inl"

namespace {

constexpr CpuKernels make_table(const char* name) {
  return CpuKernels{
      .name = name,
      .product_bf16 = product_bf16,
      .product_f32 = product_f32,
      .transpose_panel_bf16 = transpose_panel_bf16,
      .transpose_panel_f32 = transpose_panel_f32,
      .transpose_u16 = transpose_u16,
      .transpose_u32 = transpose_u32,
      .pair_rows_bf16 = pair_rows_bf16,
      .copy_rows_f32 = copy_rows_f32,
      .attention_bf16 = attention_bf16,
      .attention_f32 = attention_f32,
      .attention_backward_bf16 = attention_backward_bf16,
      .attention_backward_f32 = attention_backward_f32,
      .token_logprob_row = token_logprob_row,
      .logit_gradient_row_bf16 = logit_gradient_row_bf16,
      .logit_gradient_row_f32 = logit_gradient_row_f32,
      .add = add_f32,
      .round_to_bf16 = round_to_bf16,
      .widen_bf16 = widen_bf16,
  };
}

}  // namespace
