// Tensors as the kernels use them: contiguous, float32, bf16 or integers, on a device that the build has.
// LibTorch gives storage and views; ATen's heavy headers stay out.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <initializer_list>

#include "kernels/dtype.h"

namespace kernels {

at::Tensor empty_f32(std::initializer_list<int64_t> shape);
at::Tensor zeros_f32(std::initializer_list<int64_t> shape);
at::Tensor empty_i32(std::initializer_list<int64_t> shape);
at::Tensor empty_of(Dtype dtype, std::initializer_list<int64_t> shape);
at::Tensor zeros_of(Dtype dtype, std::initializer_list<int64_t> shape);

Dtype dtype_of(const at::Tensor& x);  // throws Error unless float32 or bfloat16

// Raw access. Throws Error unless `x` is contiguous, of that type and on the CPU.
float* f32(const at::Tensor& x);
int32_t* i32(const at::Tensor& x);
uint16_t* bf16(const at::Tensor& x);

// Elementwise on float32 tensors of one shape.
void add_in_place(const at::Tensor& x, const at::Tensor& y);                // x += y
at::Tensor add(const at::Tensor& x, const at::Tensor& y);                   // x + y
at::Tensor rounded(const at::Tensor& x, Dtype dtype);  // float32 -> dtype, to nearest even; x itself for float32
at::Tensor widened(const at::Tensor& x);               // dtype -> float32, exact; x itself if it is float32
at::Tensor clamped(const at::Tensor& x, double limit);  // float32, into [-limit, limit]
void clamp_backward_in_place(const at::Tensor& dy, const at::Tensor& x, double limit);  // dy = 0 where x was outside

// Rows. `rows[i] < 0` names no row.
at::Tensor gather_rows(const at::Tensor& x, const int64_t* rows, int64_t count);       // [count, W]; zeros where < 0
void scatter_add_rows(const at::Tensor& x, const int64_t* rows, const at::Tensor& into);  // float32, added in the order of i

}  // namespace kernels
