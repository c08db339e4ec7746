#include "kernels/adamw.h"

#include <algorithm>
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

// Raw pointers to the step's first element, and its constants.
struct Pass {
  float *master, *gradient, *first_moment, *second_moment;
  AdamwFactors factors;
  const CpuKernels* cpu;

  void run(int64_t i, int64_t count) const {
    cpu->adamw(master + i, gradient + i, first_moment + i, second_moment + i, count, &factors);
  }
};

Pass make_pass(const AdamwStep& s, int64_t begin, const AdamwConfig& config) {
  const int64_t size = s.master.numel();
  if (s.gradient.numel() != size || s.first_moment.numel() != size || s.second_moment.numel() != size)
    fail("adamw_step: master is {}, gradient {}, moments {} and {}; all must have one size.", shape_text(s.master),
         shape_text(s.gradient), shape_text(s.first_moment), shape_text(s.second_moment));
  if (s.step < 1) fail("adamw_step: step is {}; it counts from 1.", s.step);
  return {f32(s.master) + begin, f32(s.gradient) + begin, f32(s.first_moment) + begin, f32(s.second_moment) + begin,
          factors(config, s.gradient_scale, s.step), &cpu_kernels()};
}

}  // namespace

void adamw_step(const AdamwStep& step, int64_t begin, int64_t end, const AdamwConfig& config) {
  const Pass pass = make_pass(step, begin, config);
  if (begin < 0 || begin > end || end > step.master.numel())
    fail("adamw_step: elements {} to {} are not within {}.", begin, end, step.master.numel());
  parallel_ranges(end - begin, kChunk, [&](int64_t from, int64_t to) { pass.run(from, to - from); });
}

ReadRun adamw_reader(const AdamwStep& step, int64_t begin, const AdamwConfig& config) {
  return [pass = make_pass(step, begin, config)](int64_t first, int64_t count, float*) {
    pass.run(first, count);
    return pass.master + first;
  };
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

}  // namespace kernels
