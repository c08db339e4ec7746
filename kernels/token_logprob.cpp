#include "kernels/token_logprob.h"

#include <algorithm>
#include <optional>

#include "kernels/error.h"
#include "kernels/isa/table.h"
#include "kernels/thread_pool.h"

namespace kernels {
namespace {

// The backward pass takes kGradientRows rows and a part of the vocabulary at a time, 16 MB of logits at most, with half of that
// each for their gradient and its transpose: the gradient of the head's weight, which is large, is then read and written once
// for all of the rows. Chunks never change a result.
constexpr int64_t kGradientRows = 1024, kGradientIds = 4096;

// Parts of a vocabulary: whole panels, their counts at most one apart, so that one block of memory serves for all.
struct VocabParts {
  explicit VocabParts(int64_t vocab)
      : panels((vocab + 63) / 64), count((panels + kGradientIds / 64 - 1) / (kGradientIds / 64)) {}
  int64_t first_id(int64_t part) const { return panels * part / count * 64; }
  int64_t most_ids() const { return (panels + count - 1) / count * 64; }

  int64_t panels, count;
};

// Rows of which the forward pass has all logits at a time: a little more bytes than the logits that the backward pass has at a
// time, which takes over their block of memory. Few rows for a large vocabulary, 28 of 152k ids: even then a weight that is
// read serves 56 operations.
int64_t rows_per_chunk(int64_t vocab) {
  return std::max<int64_t>(16, (kGradientRows * VocabParts(vocab).most_ids() / vocab + 2) / 2 * 2);
}

void check_head(const at::Tensor& x, const PackedWeight& w, int64_t vocab, const char* op) {
  if (x.dim() != 2 || x.size(1) != w.in()) fail("{}: x must be [rows, {}].", op, w.in());
  if (vocab <= 0 || vocab > w.out()) fail("{}: vocab is {}, but the head has {} rows.", op, vocab, w.out());
}

// One row as the kept ids see it: their logits side by side.
struct KeptLogits {
  std::vector<int32_t> ids;
  std::vector<float> values;

  // -1 stays -1.
  int64_t place_of(int32_t target, int64_t count) const {
    if (target < 0) return -1;
    const auto end = ids.begin() + count, found = std::lower_bound(ids.begin(), end, target);
    return found != end && *found == target ? found - ids.begin() : -1;
  }
};

void check_kept(const KeptRow& row, int64_t s, int32_t target, int64_t vocab) {
  if (!row.fits(vocab)) fail("token_logprob: the kept ids of row {} are not ascending ids of a vocabulary of {}.", s, vocab);
  if (target >= 0 && !row.holds(target)) fail("token_logprob: target {} of row {} is not among its {} kept ids.", target, s, row.count());
}

void kept_rows_into(const at::Tensor& logits, int64_t vocab, int64_t first, const int32_t* targets, const float* inverse_temperature,
                    const KeptRows& kept, const TokenLogprob& out) {
  const CpuKernels& cpu = cpu_kernels();
  const int64_t stride = logits.size(1);
  parallel_ranges(logits.size(0), 1, [&](int64_t begin, int64_t end) {
    KeptLogits own;
    for (int64_t s = first + begin; s < first + end; ++s) {
      const float* z = f32(logits) + (s - first) * stride;
      const KeptRow row = kept[s];
      int64_t count = vocab, target = targets[s];
      if (!row.all()) {
        check_kept(row, s, targets[s], vocab);
        own.ids.resize(static_cast<size_t>(row.count()));
        own.values.resize(own.ids.size());
        count = row.ids_in(0, vocab, own.ids.data());
        for (int64_t i = 0; i < count; ++i) own.values[static_cast<size_t>(i)] = z[own.ids[static_cast<size_t>(i)]];
        target = own.place_of(targets[s], count);
        z = own.values.data();
      }
      cpu.token_logprob_row(z, count, target, inverse_temperature[s], f32(out.logprob) + s, f32(out.entropy) + s, f32(out.log_z) + s);
    }
  });
}

void rows_into(const at::Tensor& logits, int64_t vocab, int64_t first, const int32_t* targets, const float* inverse_temperature,
               const KeptRows* kept, const TokenLogprob& out) {
  if (kept) return kept_rows_into(logits, vocab, first, targets, inverse_temperature, *kept, out);
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
  const KeptRows* kept;
  int64_t first;  // row of `kept`
};

// The gradient of one row with a list: of its kept ids side by side, then each to its place.
template <typename Value, typename Row>
void kept_gradient_row(const float* from, int64_t i, int64_t known, int64_t width, const LogitGradient& g, Row row, Value* to) {
  int32_t ids[kGradientIds];
  float values[kGradientIds];
  Value slopes[kGradientIds];
  const int64_t count = (*g.kept)[g.first + i].ids_in(g.id, g.id + known, ids);
  int64_t target = -1;
  for (int64_t k = 0; k < count; ++k) {
    values[k] = from[ids[k] - g.id];
    if (ids[k] == g.targets[i]) target = k;
  }
  row(values, count, count, target, g.inverse_temperature[i], g.log_z[i], g.entropy[i], g.dlogprob[i], g.dentropy ? g.dentropy[i] : 0.0f,
      slopes);
  std::fill_n(to, width, Value{0});
  for (int64_t k = 0; k < count; ++k) to[ids[k] - g.id] = slopes[k];
}

at::Tensor logit_gradient(const at::Tensor& logits, Dtype dtype, const LogitGradient& g) {
  const CpuKernels& cpu = cpu_kernels();
  const int64_t rows = logits.size(0), ids = logits.size(1), width = (ids + 1) / 2 * 2;
  const int64_t known = std::clamp<int64_t>(g.vocab - g.id, 0, ids);
  const at::Tensor dlogits = empty_of(dtype, {rows, width});
  const float* from = f32(logits);
  auto* to = static_cast<char*>(dlogits.data_ptr());
  const auto row = dtype == Dtype::bf16 ? cpu.logit_gradient_row_bf16 : cpu.logit_gradient_row_f32;
  const auto kept_row = [&](int64_t i) {
    if (dtype == Dtype::bf16) kept_gradient_row(from + i * ids, i, known, width, g, row, reinterpret_cast<uint16_t*>(to) + i * width);
    else kept_gradient_row(from + i * ids, i, known, width, g, row, reinterpret_cast<float*>(to) + i * width);
  };
  if (g.kept) {
    parallel_ranges(rows, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        if ((*g.kept)[g.first + i].all())
          row(from + i * ids, known, width, g.targets[i] - g.id, g.inverse_temperature[i], g.log_z[i], g.entropy[i], g.dlogprob[i],
              g.dentropy ? g.dentropy[i] : 0.0f, to + i * width * bytes_of(dtype));
        else kept_row(i);
    });
    return dlogits;
  }
  parallel_ranges(rows, std::max<int64_t>(1, 16384 / ids), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      row(from + i * ids, known, width, g.targets[i] - g.id, g.inverse_temperature[i], g.log_z[i], g.entropy[i], g.dlogprob[i],
          g.dentropy ? g.dentropy[i] : 0.0f, to + i * width * bytes_of(dtype));
  });
  return dlogits;
}

TokenLogprob make_output(int64_t rows) { return {empty_f32({rows}), empty_f32({rows}), empty_f32({rows})}; }

std::optional<KeptRows> rows_of(const KeptIds* kept, int64_t rows, const char* op) {
  if (!kept) return {};
  if (kept->rows() != rows) fail("{}: {} rows have {} lists of kept ids; give one each, or none at all.", op, rows, kept->rows());
  return KeptRows(*kept);
}

}  // namespace

TokenLogprob token_logprob(const at::Tensor& logits, int64_t vocab, const int32_t* targets, const float* inverse_temperature,
                           const KeptIds* kept) {
  if (logits.dim() != 2 || logits.size(1) < vocab) fail("token_logprob: logits are [.., {}], but the vocabulary is {}.", logits.size(-1), vocab);
  const auto lists = rows_of(kept, logits.size(0), "token_logprob");
  TokenLogprob out = make_output(logits.size(0));
  rows_into(logits, vocab, 0, targets, inverse_temperature, lists ? &*lists : nullptr, out);
  return out;
}

float kept_token_logprob(const float* logits, const int32_t* ids, int64_t count, int32_t target, float inverse_temperature) {
  std::vector<float> z(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) z[static_cast<size_t>(i)] = logits[ids[i]];
  const int32_t* found = std::lower_bound(ids, ids + count, target);
  if (found == ids + count || *found != target) fail("token_logprob: target {} is not among its {} kept ids.", target, count);
  float logprob, entropy, log_z;
  cpu_kernels().token_logprob_row(z.data(), count, found - ids, inverse_temperature, &logprob, &entropy, &log_z);
  return logprob;
}

TokenLogprob linear_token_logprob(const at::Tensor& x, const PackedWeight& w, int64_t vocab, const int32_t* targets,
                                  const float* inverse_temperature, const KeptIds* kept) {
  check_head(x, w, vocab, "linear_token_logprob");
  const auto lists = rows_of(kept, x.size(0), "linear_token_logprob");
  TokenLogprob out = make_output(x.size(0));
  const int64_t chunk = rows_per_chunk(w.out());
  for (int64_t first = 0; first < x.size(0); first += chunk) {
    const at::Tensor logits = linear(x.narrow(0, first, std::min(chunk, x.size(0) - first)), w);
    rows_into(logits, vocab, first, targets, inverse_temperature, lists ? &*lists : nullptr, out);
  }
  return out;
}

int64_t token_logprob_chunk_bytes(Dtype dtype, int64_t vocab, int64_t rows) {
  return std::min(rows, rows_per_chunk(vocab)) * vocab * (4 + 2 * bytes_of(dtype));
}

at::Tensor linear_token_logprob_backward(const at::Tensor& dlogprob, const at::Tensor& dentropy, const at::Tensor& x,
                                         const PackedWeight& w, int64_t vocab, const int32_t* targets,
                                         const float* inverse_temperature, const TokenLogprob& forward, const MatrixView& dw,
                                         const KeptIds* kept) {
  check_head(x, w, vocab, "linear_token_logprob_backward");
  const auto lists = rows_of(kept, x.size(0), "linear_token_logprob_backward");
  const at::Tensor dx = zeros_f32({x.size(0), x.size(1)});
  const VocabParts parts(w.out());
  for (int64_t first = 0; first < x.size(0); first += kGradientRows) {
    const int64_t count = std::min(kGradientRows, x.size(0) - first);
    const at::Tensor rows = x.narrow(0, first, count), into = dx.narrow(0, first, count);
    const auto of_row = [&](const at::Tensor& all) { return f32(all) + first; };
    for (int64_t p = 0; p < parts.count; ++p) {
      const int64_t id = parts.first_id(p);
      const PackedWeight part = w.rows(id, std::min(parts.first_id(p + 1), w.out()) - id);
      const LogitGradient g{id, vocab, targets + first, inverse_temperature + first, of_row(forward.log_z), of_row(forward.entropy),
                            of_row(dlogprob), dentropy.defined() ? of_row(dentropy) : nullptr,
                            lists ? &*lists : nullptr, first};
      const at::Tensor dlogits = logit_gradient(linear(rows, part), part.dtype(), g);
      linear_backward_input(dlogits, part, into);
      if (dw.data)
        linear_backward_weight(dlogits, rows, {dw.data + id * dw.out_stride, 1, part.out(), dw.in, 0, dw.out_stride, dw.in_stride});
    }
  }
  return dx;
}

}  // namespace kernels
