#include "kernels/adamw.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <vector>

#include "kernels/check.h"
#include "kernels/error.h"
#include "kernels/isa/table.h"
#include "kernels/thread_pool.h"

namespace kernels {
namespace {

constexpr int64_t kChunk = 4096;

AdamwFactors factors(const AdamwConfig& config, double gradient_scale, int64_t step) {
  const auto t = static_cast<double>(step);
  return {
      .gradient_scale = static_cast<float>(gradient_scale),
      .lr = static_cast<float>(config.lr),
      .beta1 = static_cast<float>(config.beta1),
      .one_minus_beta1 = static_cast<float>(1.0 - config.beta1),
      .beta2 = static_cast<float>(config.beta2),
      .one_minus_beta2 = static_cast<float>(1.0 - config.beta2),
      .first_correction = static_cast<float>(1.0 / (1.0 - std::pow(config.beta1, t))),
      .second_correction = static_cast<float>(1.0 / (1.0 - std::pow(config.beta2, t))),
      .eps = static_cast<float>(config.eps),
      .weight_decay = static_cast<float>(config.weight_decay),
  };
}

}  // namespace

void adamw_step(const at::Tensor& master, const at::Tensor& gradient, const at::Tensor& first_moment,
                const at::Tensor& second_moment, int64_t begin, int64_t end, const AdamwConfig& config, double gradient_scale,
                int64_t step) {
  const int64_t size = master.numel();
  if (gradient.numel() != size || first_moment.numel() != size || second_moment.numel() != size)
    fail("adamw_step: master is {}, gradient {}, moments {} and {}; all must have one size.", shape_text(master),
         shape_text(gradient), shape_text(first_moment), shape_text(second_moment));
  if (begin < 0 || begin > end || end > size) fail("adamw_step: elements {} to {} are not within {}.", begin, end, size);
  if (step < 1) fail("adamw_step: step is {}; it counts from 1.", step);
  float* w = f32(master);
  const float* g = f32(gradient);
  float *m = f32(first_moment), *v = f32(second_moment);
  const auto f = factors(config, gradient_scale, step);
  const auto& table = cpu_kernels();
  parallel_ranges(end - begin, kChunk, [&](int64_t from, int64_t to) {
    const int64_t i = begin + from;
    table.adamw(w + i, g + i, m + i, v + i, to - from, &f);
  });
}

double sum_of_squares(const at::Tensor& x) {
  const float* data = f32(x);
  const int64_t size = x.numel(), chunks = (size + kChunk - 1) / kChunk;
  std::vector<double> sums(static_cast<size_t>(chunks));
  const auto& table = cpu_kernels();
  parallel_ranges(chunks, 8, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c)
      sums[static_cast<size_t>(c)] = table.sum_of_squares(data + c * kChunk, std::min(kChunk, size - c * kChunk));
  });
  double total = 0.0;
  for (const double sum : sums) total += sum;
  return total;
}

bool all_finite(const at::Tensor& x) {
  const float* data = f32(x);
  std::atomic<bool> finite{true};
  const auto& table = cpu_kernels();
  parallel_ranges(x.numel(), 8 * kChunk, [&](int64_t begin, int64_t end) {
    if (!table.all_finite(data + begin, end - begin)) finite.store(false, std::memory_order_relaxed);
  });
  return finite.load();
}

}  // namespace kernels
