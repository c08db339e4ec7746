// All inner loops, in terms of the sixteen lanes of simd_*.h, and the table of them.
#include "kernels/isa/table.h"

#include "kernels/isa/math.inl"
// then the loops
#include "kernels/isa/lanes.inl"

#include "kernels/isa/linear.inl"
#include "kernels/isa/transpose.inl"
#include "kernels/isa/attention_tile.inl"
#include "kernels/isa/attention_forward.inl"
#include "kernels/isa/attention_backward.inl"
#include "kernels/isa/token_logprob.inl"
#include "kernels/isa/tensor.inl"
#include "kernels/isa/rms_norm.inl"
#include "kernels/isa/rope.inl"
#include "kernels/isa/swiglu.inl"
#include "kernels/isa/router.inl"
#include "kernels/isa/sample_token.inl"
#include "kernels/isa/adamw.inl"
#include "kernels/isa/peak.inl"

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
      .attention_scratch = attention_scratch,
      .attention_bf16 = attention_bf16,
      .attention_f32 = attention_f32,
      .attention_backward_scratch = attention_backward_scratch,
      .attention_backward_bf16 = attention_backward_bf16,
      .attention_backward_f32 = attention_backward_f32,
      .token_logprob_row = token_logprob_row,
      .logit_gradient_row_bf16 = logit_gradient_row_bf16,
      .logit_gradient_row_f32 = logit_gradient_row_f32,
      .add = add_f32,
      .round_to_bf16 = round_to_bf16,
      .widen_bf16 = widen_bf16,
      .sum_rows_f32 = sum_rows_f32,
      .sum_rows_bf16 = sum_rows_bf16,
      .clamp = clamp_f32,
      .clamp_backward = clamp_backward,
      .rms_norm_f32 = rms_norm_rows_f32,
      .rms_norm_bf16 = rms_norm_rows_bf16,
      .rms_norm_backward = rms_norm_backward_rows,
      .rms_norm_backward_weight = rms_norm_backward_weight,
      .rope_halves = rope_halves,
      .rope_interleaved = rope_interleaved,
      .swiglu_f32 = swiglu_f32,
      .swiglu_bf16 = swiglu_bf16,
      .swiglu_backward_f32 = swiglu_backward_f32,
      .swiglu_backward_bf16 = swiglu_backward_bf16,
      .router_softmax = router_softmax,
      .router_sigmoid = router_sigmoid,
      .combine_experts = combine_experts,
      .combine_backward_f32 = combine_backward_f32,
      .combine_backward_bf16 = combine_backward_bf16,
      .largest_logit = largest_logit,
      .sum_of_weights = sum_of_weights,
      .weights_of_logits = weights_of_logits,
      .adamw = adamw,
      .sum_of_squares = sum_of_squares,
      .peak_bf16 = peak_bf16,
      .peak_f32 = peak_f32,
  };
}

}  // namespace
