// Checks of the public functions. Inner code trusts them.
#pragma once

#include <initializer_list>
#include <string>

#include "kernels/tensor.h"

namespace kernels {

std::string shape_text(const at::Tensor& x);  // "[3, 64]"
// Throws Error unless `x` is defined and has this shape.
void require_shape(const char* op, const char* name, const at::Tensor& x, std::initializer_list<int64_t> shape);
void require_matrix(const char* op, const char* name, const at::Tensor& x);  // two dimensions

}  // namespace kernels
