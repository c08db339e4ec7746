#include "kernels/token_logprob.h"

#include <algorithm>

#include "kernels/error.h"
#include "kernels/isa/table.h"
#include "kernels/thread_pool.h"

namespace kernels {
namespace {

// Rows whose logits exist at one time: 32 MB of float32. The chunk never changes a result.
int64_t rows_per_chunk(int64_t vocab) { return std::max<int64_t>(16, (int64_t{1} << 23) / std::max<int64_t>(1, vocab) / 2 * 2); }

// The backward pass takes many rows and a part of the vocabulary at a time, 48 MB of logits and their gradients: the
// gradient of the head's weight, which is large, is then read and written once. The chunk never changes a result.
constexpr int64_t kGradientRows = 2048, kGradientIds = 4096;

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

// Ids from `id` on; the others are one entry a row.
struct LogitGradient {
  int64_t id, vocab;
  const int32_t* targets;
  const float *inverse_temperature, *log_z, *entropy, *dlogprob, *dentropy;
};

at::Tensor logit_gradient(const at::Tensor& logits, Dtype dtype, const LogitGradient& g) {
  const CpuKernels& cpu = cpu_kernels();
  const int64_t rows = logits.size(0), ids = logits.size(1), width = (ids + 1) / 2 * 2;
  const int64_t known = std::clamp<int64_t>(g.vocab - g.id, 0, ids);
  const at::Tensor dlogits = empty_of(dtype, {rows, width});
  const float* from = f32(logits);
  auto* to = static_cast<char*>(dlogits.data_ptr());
  const auto row = dtype == Dtype::bf16 ? cpu.logit_gradient_row_bf16 : cpu.logit_gradient_row_f32;
  parallel_ranges(rows, std::max<int64_t>(1, 16384 / ids), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      row(from + i * ids, known, width, g.targets[i] - g.id, g.inverse_temperature[i], g.log_z[i], g.entropy[i], g.dlogprob[i],
          g.dentropy ? g.dentropy[i] : 0.0f, to + i * width * bytes_of(dtype));
  });
  return dlogits;
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

at::Tensor linear_token_logprob_backward(const at::Tensor& dlogprob, const at::Tensor& dentropy, const at::Tensor& x,
                                         const PackedWeight& w, int64_t vocab, const int32_t* targets,
                                         const float* inverse_temperature, const TokenLogprob& forward, const MatrixView& dw) {
  check_head(x, w, vocab, "linear_token_logprob_backward");
  const at::Tensor dx = zeros_f32({x.size(0), x.size(1)});
  for (int64_t first = 0; first < x.size(0); first += kGradientRows) {
    const int64_t count = std::min(kGradientRows, x.size(0) - first);
    const at::Tensor rows = x.narrow(0, first, count), into = dx.narrow(0, first, count);
    const auto of_row = [&](const at::Tensor& all) { return f32(all) + first; };
    for (int64_t id = 0; id < w.out(); id += kGradientIds) {
      const PackedWeight part = w.rows(id, std::min(kGradientIds, w.out() - id));
      const LogitGradient g{id, vocab, targets + first, inverse_temperature + first, of_row(forward.log_z), of_row(forward.entropy),
                            of_row(dlogprob), dentropy.defined() ? of_row(dentropy) : nullptr};
      const at::Tensor dlogits = logit_gradient(linear(rows, part), part.dtype(), g);
      linear_backward_input(dlogits, part, into);
      if (dw.data)
        linear_backward_weight(dlogits, rows, {dw.data + id * dw.out_stride, 1, part.out(), dw.in, 0, dw.out_stride, dw.in_stride});
    }
  }
  return dx;
}

}  // namespace kernels
