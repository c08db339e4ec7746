// The inner loops of every CPU op, on raw pointers. One table per instruction set; all give the same bits.
//
// The files in this folder are compiled once per instruction set (isa_plain.cpp, isa_avx2.cpp, isa_avx512.cpp). They
// hold internal-linkage code only and include nothing inline from std, fmt or torch: the linker could otherwise keep
// their copy for the whole program.
#pragma once

#include <stdint.h>

// One query row against one key head. Its keys have positions [first_key_position, first_key_position + keys); it sees
// those in [first_visible, position].
struct AttentionRow {
  const float* q;           // heads_per_key vectors, one after the other
  const int64_t* key_rows;   // storage row of each key
  const int64_t* key_tiles;  // storage tile of the positions 16 i .. 16 i + 15, from that of the first key on; -1: they are not one
  int64_t first_key_position, keys, first_visible, position;
  void* out;                // heads_per_key vectors in the keys' dtype
  float* log_sum;           // heads_per_key
};

// A block of query rows against one key head (see attention.h). Strides are in elements.
struct AttentionBlock {
  const AttentionRow* rows;
  int64_t count, heads_per_key;
  const void *keys, *values;  // tile 0 of the storage, this key head; values null: the first value_dim elements of the key
  int64_t key_tile_stride, value_tile_stride;  // from tile to tile; the 16 vectors of a head follow each other
  int64_t key_dim, value_dim;
  float scale;
  void* scratch;
};

// Gradients of a block whose rows are all of one segment. Row r's are `stride` elements after row 0's.
struct AttentionGradientBlock {
  const float* dout;
  int64_t dout_stride;
  float* dq;
  int64_t dq_stride;
  float *dkeys, *dvalues;  // row 0 of this key head; dvalues null when values is
  int64_t dkey_stride, dvalue_stride;  // from row to row
};

// The constants of one AdamW step, rounded to float32. first_correction is 1 / (1 - beta1^t), second_correction likewise.
struct AdamwFactors {
  float gradient_scale, lr, beta1, one_minus_beta1, beta2, one_minus_beta2, first_correction, second_correction, eps,
      weight_decay;
};

struct CpuKernels {
  const char* name;

  // ---- linear.inl: c[m, 0..cols) = or += sum over k of a[m, k] * panel[k, col], one chain a column. See linear.h.
  // panel holds 64 columns: bf16 [k_pairs][64][2], float32 [k][64]. cols <= 64. `next` (or null) is the panel that will be
  // wanted after this one: it is fetched meanwhile.
  void (*product_bf16)(const uint16_t* a, int64_t lda, const uint16_t* panel, int64_t k_pairs, float* c, int64_t ldc,
                       int64_t rows, int64_t cols, bool accumulate, const void* next);
  void (*product_f32)(const float* a, int64_t lda, const float* panel, int64_t k, float* c, int64_t ldc, int64_t rows,
                      int64_t cols, bool accumulate, const void* next);

  // ---- transpose.inl: layout changes; see there.
  void (*transpose_panel_bf16)(const uint16_t* panels, int64_t k_pairs, int64_t first, int64_t count, int64_t k0, int64_t cols,
                               uint16_t* out);
  void (*transpose_panel_f32)(const float* panels, int64_t k, int64_t first, int64_t count, int64_t k0, int64_t cols, float* out);
  void (*transpose_u16)(const uint16_t* from, int64_t from_stride, int64_t rows, int64_t cols, uint16_t* to, int64_t to_stride);
  void (*transpose_u32)(const uint32_t* from, int64_t from_stride, int64_t rows, int64_t cols, uint32_t* to, int64_t to_stride);
  void (*pair_rows_bf16)(const uint16_t* from, int64_t stride, int64_t rows, int64_t cols, uint16_t* out);
  void (*copy_rows_f32)(const float* from, int64_t stride, int64_t rows, int64_t cols, float* out);

  // ---- attention_forward.inl, attention_backward.inl. Scratch: the two functions give its size in bytes.
  int64_t (*attention_scratch)(int64_t rows, int64_t heads_per_key, int64_t key_dim, int64_t value_dim);
  void (*attention_bf16)(const AttentionBlock& block);
  void (*attention_f32)(const AttentionBlock& block);
  int64_t (*attention_backward_scratch)(int64_t rows, int64_t heads_per_key, int64_t key_dim, int64_t value_dim);
  void (*attention_backward_bf16)(const AttentionBlock& block, const AttentionGradientBlock& gradient);
  void (*attention_backward_f32)(const AttentionBlock& block, const AttentionGradientBlock& gradient);

  // ---- token_logprob.inl: one row. See token_logprob.h.
  void (*token_logprob_row)(const float* logits, int64_t vocab, int64_t target, float inverse_temperature, float* logprob,
                            float* entropy, float* log_z);
  void (*logit_gradient_row_bf16)(const float* logits, int64_t vocab, int64_t width, int64_t target, float inverse_temperature,
                                  float log_z, float entropy, float dlogprob, float dentropy, void* out);
  void (*logit_gradient_row_f32)(const float* logits, int64_t vocab, int64_t width, int64_t target, float inverse_temperature,
                                 float log_z, float entropy, float dlogprob, float dentropy, void* out);

  // ---- tensor.inl: elementwise over n; `out` may be an input.
  void (*add)(const float* x, const float* y, float* out, int64_t n);
  void (*round_to_bf16)(const float* x, uint16_t* out, int64_t n);
  void (*widen_bf16)(const uint16_t* x, float* out, int64_t n);
  // sum[c] += x[n, c] for each row in turn, for `columns` columns of rows `stride` apart.
  void (*sum_rows_f32)(const float* x, int64_t stride, float* sum, int64_t rows, int64_t columns);
  void (*sum_rows_bf16)(const uint16_t* x, int64_t stride, float* sum, int64_t rows, int64_t columns);
  // Into [-limit, limit]; dy becomes 0 where x was outside. A NaN stays one.
  void (*clamp)(const float* x, float limit, float* out, int64_t n);
  void (*clamp_backward)(const float* x, float limit, float* dy, int64_t n);

  // ---- rms_norm.inl: rows of x are ldx apart, those of y, dy and dx `width`. See rms_norm.h.
  void (*rms_norm_f32)(const float* x, int64_t ldx, const float* weight, float* y, float* inverse, int64_t rows, int64_t width,
                       float eps);
  void (*rms_norm_bf16)(const float* x, int64_t ldx, const float* weight, uint16_t* y, float* inverse, int64_t rows,
                        int64_t width, float eps);
  void (*rms_norm_backward)(const float* dy, const float* x, int64_t ldx, const float* weight, const float* inverse, float* dx,
                            int64_t rows, int64_t width);
  // dweight[c] += sum over rows of dy * x * inverse, for `columns` columns.
  void (*rms_norm_backward_weight)(const float* dy, int64_t ldy, const float* x, int64_t ldx, const float* inverse,
                                   float* dweight, int64_t rows, int64_t columns);

  // ---- rope.inl: turns the pairs of one row's heads in place; sign -1 turns back.
  void (*rope_halves)(float* x, int64_t heads, int64_t head_stride, const float* cos, const float* sin, int64_t pairs,
                      float sign);
  void (*rope_interleaved)(float* x, int64_t heads, int64_t head_stride, const float* cos, const float* sin, int64_t pairs,
                           float sign);

  // ---- swiglu.inl: elementwise over n.
  void (*swiglu_f32)(const float* gate, const float* up, float* y, int64_t n);
  void (*swiglu_bf16)(const float* gate, const float* up, uint16_t* y, int64_t n);
  void (*swiglu_backward_f32)(const float* dy, const float* gate, const float* up, float* dgate, float* dup, int64_t n);
  void (*swiglu_backward_bf16)(const float* dy, const float* gate, const float* up, uint16_t* dgate, uint16_t* dup, int64_t n);

  // ---- router.inl
  void (*router_softmax)(const float* logits, float* scores, int64_t rows, int64_t experts);
  void (*router_sigmoid)(const float* logits, float* scores, int64_t rows, int64_t experts);
  // One row: out = sum over slots in order of weights[slot] * y[entries[slot]]; entries below 0 are left out.
  void (*combine_experts)(const float* y, const int64_t* entries, const float* weights, int64_t slots, float* out, int64_t width);
  // One entry: dy = weight * dout; returns dout . y.
  float (*combine_backward_f32)(const float* dout, const float* y, float weight, float* dy, int64_t width);
  float (*combine_backward_bf16)(const float* dout, const float* y, float weight, uint16_t* dy, int64_t width);

  // ---- sample_token.inl: weight = e^((x - largest) * inverse_temperature).
  float (*largest_logit)(const float* x, int64_t n);  // NaN if one is NaN or +inf
  float (*sum_of_weights)(const float* x, int64_t n, float largest, float inverse_temperature);
  void (*weights_of_logits)(const float* x, float* weights, int64_t n, float largest, float inverse_temperature);

  // ---- adamw.inl: elementwise over n; the gradient becomes 0. See adamw.h.
  void (*adamw)(float* w, float* gradient, float* m, float* v, int64_t n, const AdamwFactors* factors);
  double (*sum_of_squares)(const float* x, int64_t n);

  // ---- peak.inl: for tests/bench.
  float (*peak_bf16)(int64_t rounds, int64_t* operations);
  float (*peak_f32)(int64_t rounds, int64_t* operations);
};

// The table in use: the best that the processor has, or the one that PONDER_ISA names (plain, avx2, avx512).
const CpuKernels& cpu_kernels();
// The tables that this processor can run, best last; for tests.
const CpuKernels* cpu_kernels_named(const char* name);  // null if this processor lacks it
void use_cpu_kernels(const char* name);                 // for tests; not while kernels run

const CpuKernels& cpu_kernels_plain();
#if defined(__x86_64__)
const CpuKernels& cpu_kernels_avx2();
const CpuKernels& cpu_kernels_avx512();
#endif
