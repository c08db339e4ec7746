#include "kernels/check.h"

#include <fmt/ranges.h>

#include "kernels/error.h"

namespace kernels {
namespace {

std::string text_of(at::IntArrayRef shape) { return fmt::format("[{}]", fmt::join(shape.begin(), shape.end(), ", ")); }

}  // namespace

std::string shape_text(const at::Tensor& x) { return x.defined() ? text_of(x.sizes()) : "undefined"; }

void require_shape(const char* op, const char* name, const at::Tensor& x, std::initializer_list<int64_t> shape) {
  const at::IntArrayRef want(shape.begin(), shape.size());
  if (!x.defined() || x.sizes() != want) fail("{}: {} is {}; it must be {}.", op, name, shape_text(x), text_of(want));
}

void require_matrix(const char* op, const char* name, const at::Tensor& x) {
  if (!x.defined() || x.dim() != 2) fail("{}: {} is {}; it must have two dimensions.", op, name, shape_text(x));
}

}  // namespace kernels
