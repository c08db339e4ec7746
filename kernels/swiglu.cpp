#include "kernels/swiglu.h"

#include "kernels/check.h"
#include "kernels/isa/table.h"
#include "kernels/thread_pool.h"

namespace kernels {
namespace {

constexpr int64_t kGrain = 4096;  // elements; an exp and a division each

}  // namespace

at::Tensor swiglu(const at::Tensor& gate, const at::Tensor& up, Dtype out) {
  require_matrix("swiglu", "gate", gate);
  require_shape("swiglu", "up", up, {gate.size(0), gate.size(1)});
  const float *g = f32(gate), *u = f32(up);
  auto y = empty_of(out, {gate.size(0), gate.size(1)});
  const auto run = [&](auto* to, auto kernel) {
    parallel_ranges(y.numel(), kGrain, [&](int64_t i, int64_t end) { kernel(g + i, u + i, to + i, end - i); });
  };
  if (out == Dtype::bf16) run(bf16(y), cpu_kernels().swiglu_bf16);
  else run(f32(y), cpu_kernels().swiglu_f32);
  return y;
}

SwigluGradient swiglu_backward(const at::Tensor& dy, const at::Tensor& gate, const at::Tensor& up, Dtype out) {
  require_matrix("swiglu_backward", "gate", gate);
  const int64_t rows = gate.size(0), width = gate.size(1);
  require_shape("swiglu_backward", "up", up, {rows, width});
  require_shape("swiglu_backward", "dy", dy, {rows, width});
  const float *d = f32(dy), *g = f32(gate), *u = f32(up);
  SwigluGradient grad{empty_of(out, {rows, width}), empty_of(out, {rows, width})};
  const auto run = [&](auto* dgate, auto* dup, auto kernel) {
    parallel_ranges(rows * width, kGrain,
                    [&](int64_t i, int64_t end) { kernel(d + i, g + i, u + i, dgate + i, dup + i, end - i); });
  };
  if (out == Dtype::bf16) run(bf16(grad.gate), bf16(grad.up), cpu_kernels().swiglu_backward_bf16);
  else run(f32(grad.gate), f32(grad.up), cpu_kernels().swiglu_backward_f32);
  return grad;
}

}  // namespace kernels
