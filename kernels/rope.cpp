#include "kernels/rope.h"

#include <algorithm>
#include <cmath>

#include "kernels/check.h"
#include "kernels/error.h"
#include "kernels/isa/table.h"
#include "kernels/thread_pool.h"

namespace kernels {

RopeTable make_rope_table(const std::vector<double>& inverse_frequency, int64_t positions, bool interleaved) {
  const auto pairs = static_cast<int64_t>(inverse_frequency.size());
  RopeTable table{empty_f32({positions, pairs}), empty_f32({positions, pairs}), interleaved};
  float *cos = f32(table.cos), *sin = f32(table.sin);
  for (int64_t p = 0; p < positions; ++p)
    for (int64_t j = 0; j < pairs; ++j) {
      const double angle = static_cast<double>(p) * inverse_frequency[static_cast<size_t>(j)];
      cos[p * pairs + j] = static_cast<float>(std::cos(angle));
      sin[p * pairs + j] = static_cast<float>(std::sin(angle));
    }
  return table;
}

RopeTurn::RopeTurn(const at::Tensor& x, const int32_t* positions, const RopeTable& table, int64_t offset, bool inverse)
    : positions_(positions), cos_(f32(table.cos)), sin_(f32(table.sin)), pairs_(table.cos.size(1)), sign_(inverse ? -1.0f : 1.0f) {
  if (x.dim() != 3) fail("rope_in_place: x is {}; it must have three dimensions: rows, heads, head size.", shape_text(x));
  heads_ = x.size(1), size_ = x.size(2);
  if (offset < 0 || offset + 2 * pairs_ > size_)
    fail("rope_in_place: elements {} to {} turn, but a head of x {} has {}.", offset, offset + 2 * pairs_, shape_text(x), size_);
  const int64_t limit = table.cos.size(0);
  for (int64_t n = 0; n < x.size(0); ++n)
    if (positions[n] < 0 || positions[n] >= limit)
      fail("rope_in_place: position {} of row {} is outside the table of {}; raise the longest sequence.", positions[n], n,
           limit);
  data_ = f32(x) + offset;
  turn_ = table.interleaved ? cpu_kernels().rope_interleaved : cpu_kernels().rope_halves;
}

void RopeTurn::operator()(int64_t row) const {
  const int64_t angle = positions_[row] * pairs_;
  turn_(data_ + row * heads_ * size_, heads_, size_, cos_ + angle, sin_ + angle, pairs_, sign_);
}

void rope_in_place(const at::Tensor& x, const int32_t* positions, const RopeTable& table, int64_t offset, bool inverse) {
  const RopeTurn turn(x, positions, table, offset, inverse);
  const int64_t row_work = x.size(1) * table.cos.size(1);
  parallel_ranges(x.size(0), 8192 / std::max<int64_t>(1, row_work) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) turn(n);
  });
}

}  // namespace kernels
