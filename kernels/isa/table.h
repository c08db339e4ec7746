// The inner loops of every CPU op, on raw pointers. One table per instruction set; all give the same bits.
//
// The files in this folder are compiled once per instruction set (isa_plain.cpp, isa_avx2.cpp, isa_avx512.cpp). They
// hold internal-linkage code only and include nothing inline from std, fmt or torch: the linker could otherwise keep
// their copy for the whole program.
#pragma once

#include <stdint.h>

struct CpuKernels {
  const char* name;

  // ---- linear.inl: c[m, 0..cols) = or += sum over k of a[m, k] * panel[k, col], one chain a column. See linear.h.
  // panel holds 64 columns: bf16 [k_pairs][64][2], float32 [k][64]. cols <= 64.
  void (*product_bf16)(const uint16_t* a, int64_t lda, const uint16_t* panel, int64_t k_pairs, float* c, int64_t ldc,
                       int64_t rows, int64_t cols, bool accumulate);
  void (*product_f32)(const float* a, int64_t lda, const float* panel, int64_t k, float* c, int64_t ldc, int64_t rows,
                      int64_t cols, bool accumulate);

  // ---- tensor.inl: elementwise over n; `out` may be an input.
  void (*add)(const float* x, const float* y, float* out, int64_t n);
  void (*round_to_bf16)(const float* x, uint16_t* out, int64_t n);
  void (*widen_bf16)(const uint16_t* x, float* out, int64_t n);
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
