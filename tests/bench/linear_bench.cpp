// Products with packed weights: right answer first, then time, then the share of the peak measured in the same run.
//
// Usage: linear_bench [--require SHARE]   exits 1 if bf16 at 64 rows is below SHARE of the peak (median)
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/isa/table.h"
#include "kernels/linear.h"
#include "kernels/thread_pool.h"
#include "tests/support/random_tensor.h"

using namespace kernels;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

struct Spread { double min, median, max; };
Spread spread(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return {x.front(), x[x.size() / 2], x.back()};
}

// GFLOP/s of all threads together, the best of five.
double peak(float (*probe)(int64_t, int64_t*)) {
  double best = 0;
  for (int i = 0; i < 5; ++i) {
    std::vector<int64_t> operations(static_cast<size_t>(threads()));
    const double start = now();
    parallel_for(threads(), [&](int64_t t) { probe(2000000, &operations[t]); });
    int64_t sum = 0;
    for (int64_t o : operations) sum += o;
    best = std::max(best, double(sum) / (now() - start) * 1e-9);
  }
  return best;
}

bool right(const at::Tensor& y, const at::Tensor& x, const at::Tensor& w) {
  for (int64_t i = 0; i < 200; ++i) {
    const int64_t m = i * 7919 % x.size(0), n = i * 104729 % w.size(0);
    double sum = 0;
    for (int64_t k = 0; k < w.size(1); ++k) sum += double(f32(x)[m * w.size(1) + k]) * double(f32(w)[n * w.size(1) + k]);
    if (std::abs(sum - f32(y)[m * w.size(0) + n]) > 1e-2) return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const double required = argc > 2 && std::strcmp(argv[1], "--require") == 0 ? std::stod(argv[2]) : 0.0;
  const double peaks[] = {peak(cpu_kernels().peak_f32), peak(cpu_kernels().peak_bf16)};
  fmt::print("isa {}, {} threads, peak float32 {:.0f} GFLOP/s, bf16 {:.0f} GFLOP/s\n", cpu_kernels().name, threads(), peaks[0], peaks[1]);
  fmt::print("{:<10}{:>6}{:>7}{:>6}{:>9}  {:>24}{:>10}{:>9}\n", "op", "rows", "out", "in", "dtype", "us min/median/max", "GFLOP/s", "of peak");
  double at_64 = 0;
  for (Dtype dtype : {Dtype::bf16, Dtype::float32})
    for (int64_t rows : {1, 8, 16, 32, 64, 512, 2048}) {
      const int64_t out = 1536, in = 576;
      const at::Tensor x = rounded(testing::random_f32({rows, in}, 1), dtype), w = widened(rounded(testing::random_f32({out, in}, 2), dtype));
      PackedWeight p(dtype, 1, out, in);
      p.pack(matrix_view(f32(w), out, in));
      if (!right(linear(x, p), widened(x), w)) { fmt::print("WRONG at {} rows\n", rows); return 1; }
      std::vector<double> times;
      const int repeats = static_cast<int>(std::max<int64_t>(3, 256 / rows));
      for (int i = 0; i < 15; ++i) {
        const double start = now();
        for (int r = 0; r < repeats; ++r) linear(x, p);
        times.push_back((now() - start) / repeats);
      }
      const Spread t = spread(times);
      const double rate = 2.0 * double(rows * out * in) / t.median * 1e-9, share = rate / peaks[dtype == Dtype::bf16];
      if (dtype == Dtype::bf16 && rows == 64) at_64 = share;
      fmt::print("{:<10}{:>6}{:>7}{:>6}{:>9}  {:>24}{:>10.0f}{:>8.0f}%\n", "linear", rows, out, in, name_of(dtype),
                 fmt::format("{:.1f} / {:.1f} / {:.1f}", t.min * 1e6, t.median * 1e6, t.max * 1e6), rate, share * 100);
    }
  if (required > 0) {
    fmt::print("bf16 at 64 rows: {:.0f} % of the peak, {:.0f} % required\n", at_64 * 100, required * 100);
    return at_64 >= required ? 0 : 1;
  }
}
