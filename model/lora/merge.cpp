#include "model/lora/merge.h"

#include <algorithm>
#include <vector>

namespace model {
namespace {

// Where a matrix and its pair lie.
struct Matrix {
  const float *down, *up;
  int64_t out, in, rank;
  float scale;
};

// w[i] += scale * (row of B) A, elements [column, column + count) of row `row` of matrix `index`.
void add_row(const Matrix& m, int64_t index, int64_t row, int64_t column, int64_t count, float* w) {
  thread_local std::vector<float> sum;
  sum.assign(static_cast<size_t>(count), 0.0f);
  const float *up = m.up + (index * m.out + row) * m.rank, *down = m.down + index * m.rank * m.in + column;
  for (int64_t k = 0; k < m.rank; ++k)
    for (int64_t i = 0; i < count; ++i) sum[static_cast<size_t>(i)] += up[k] * down[k * m.in + i];
  for (int64_t i = 0; i < count; ++i) w[i] += m.scale * sum[static_cast<size_t>(i)];
}

}  // namespace

kernels::ReadRun merged(const kernels::ReadRun& base, const Parameter& p, const Adapter& adapter) {
  if (!can_be_adapted(p)) return base;
  const std::string module = module_of(p), down = module + ".lora_A.weight";
  if (!adapter.pairs.has(down)) return base;
  const size_t last = p.shape.size() - 1;
  const Matrix m{adapter.pairs.master_of(down), adapter.pairs.master_of(module + ".lora_B.weight"), p.shape[last - 1], p.shape[last],
                 padded_rank(adapter.lora.rank), static_cast<float>(adapter.lora.scale())};
  return [base, m](int64_t first, int64_t count, float* scratch) -> const float* {
    const float* values = base(first, count, scratch);
    if (values != scratch) std::copy_n(values, count, scratch);
    for (int64_t at = first; at < first + count;) {
      const int64_t row = at / m.in, column = at % m.in, n = std::min(m.in - column, first + count - at);
      add_row(m, row / m.out, row % m.out, column, n, scratch + (at - first));
      at += n;
    }
    return scratch;
  };
}

}  // namespace model
