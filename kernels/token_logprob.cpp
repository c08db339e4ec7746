#include "kernels/token_logprob.h"

#include <algorithm>

#include "kernels/error.h"
#include "kernels/isa/table.h"
#include "kernels/thread_pool.h"

namespace kernels {
namespace {

// Rows whose logits exist at one time: 32 MB of float32. The chunk never changes a result.
int64_t rows_per_chunk(int64_t vocab) { return std::max<int64_t>(16, (int64_t{1} << 23) / std::max<int64_t>(1, vocab) / 2 * 2); }

void check_head(const at::Tensor& x, const PackedWeight& w, int64_t vocab, const char* op) {
  if (x.dim() != 2 || x.size(1) != w.in()) fail("{}: x must be [rows, {}].", op, w.in());
  if (vocab <= 0 || vocab > w.out()) fail("{}: vocab is {}, but the head has {} rows.", op, vocab, w.out());
}

void rows_into(const at::Tensor& logits, int64_t vocab, int64_t first, const int32_t* targets, const float* inverse_temperature,
               const TokenLogprob& out) {
  const CpuKernels& cpu = cpu_kernels();
  const int64_t stride = logits.size(1);
  parallel_for(logits.size(0), [&](int64_t i) {
    const int64_t s = first + i;
    if (targets[s] >= vocab) fail("token_logprob: target {} of row {} is outside the vocabulary of {}.", targets[s], s, vocab);
    cpu.token_logprob_row(f32(logits) + i * stride, vocab, targets[s], inverse_temperature[s], f32(out.logprob) + s,
                          f32(out.entropy) + s, f32(out.log_z) + s);
  });
}

TokenLogprob make_output(int64_t rows) { return {empty_f32({rows}), empty_f32({rows}), empty_f32({rows})}; }

}  // namespace

TokenLogprob token_logprob(const at::Tensor& logits, int64_t vocab, const int32_t* targets, const float* inverse_temperature) {
  if (logits.dim() != 2 || logits.size(1) < vocab) fail("token_logprob: logits are [.., {}], but the vocabulary is {}.", logits.size(-1), vocab);
  TokenLogprob out = make_output(logits.size(0));
  rows_into(logits, vocab, 0, targets, inverse_temperature, out);
  return out;
}

TokenLogprob linear_token_logprob(const at::Tensor& x, const PackedWeight& w, int64_t vocab, const int32_t* targets,
                                  const float* inverse_temperature) {
  check_head(x, w, vocab, "linear_token_logprob");
  TokenLogprob out = make_output(x.size(0));
  const int64_t chunk = rows_per_chunk(w.out());
  for (int64_t first = 0; first < x.size(0); first += chunk) {
    const at::Tensor logits = linear(x.narrow(0, first, std::min(chunk, x.size(0) - first)), w);
    rows_into(logits, vocab, first, targets, inverse_temperature, out);
  }
  return out;
}

int64_t token_logprob_chunk_bytes(Dtype dtype, int64_t vocab, int64_t rows) {
  return std::min(rows, rows_per_chunk(vocab)) * vocab * (4 + 2 * bytes_of(dtype));
}

at::Tensor linear_token_logprob_backward(const at::Tensor& dlogprob, const at::Tensor& dentropy, const at::Tensor& x,
                                         const PackedWeight& w, int64_t vocab, const int32_t* targets,
                                         const float* inverse_temperature, const TokenLogprob& forward, const MatrixView& dw) {
  check_head(x, w, vocab, "linear_token_logprob_backward");
  const CpuKernels& cpu = cpu_kernels();
  at::Tensor dx = empty_f32({x.size(0), x.size(1)});
  const int64_t chunk = rows_per_chunk(w.out()), width = (w.out() + 1) / 2 * 2;
  for (int64_t first = 0; first < x.size(0); first += chunk) {
    const at::Tensor rows = x.narrow(0, first, std::min(chunk, x.size(0) - first));
    const at::Tensor logits = linear(rows, w);
    const at::Tensor dlogits = empty_of(w.dtype(), {rows.size(0), width});
    parallel_for(rows.size(0), [&](int64_t i) {
      const int64_t s = first + i;
      const auto row = w.dtype() == Dtype::bf16 ? cpu.logit_gradient_row_bf16 : cpu.logit_gradient_row_f32;
      row(f32(logits) + i * w.out(), vocab, width, targets[s], inverse_temperature[s], f32(forward.log_z)[s], f32(forward.entropy)[s],
          f32(dlogprob)[s], dentropy.defined() ? f32(dentropy)[s] : 0.0f,
          static_cast<char*>(dlogits.data_ptr()) + i * width * bytes_of(w.dtype()));
    });
    dx.narrow(0, first, rows.size(0)).copy_(linear_backward_input(dlogits, w));
    if (dw.data) linear_backward_weight(dlogits, rows, dw);
  }
  return dx;
}

}  // namespace kernels
