// Log-probability and entropy of one token a row, and their gradients.
#include <cmath>

#include "kernels/isa/table.h"
#include "kernels/thread_pool.h"
#include "kernels/token_logprob.h"
#include "tests/support/catch.h"
#include "tests/support/compare.h"
#include "tests/support/peak_memory.h"
#include "tests/support/random_tensor.h"

using namespace kernels;
using testing::random_f32;
using testing::same_bits;

namespace {

struct Exact { double logprob, entropy; };

Exact exact_row(const std::vector<double>& logits, int64_t target, double inverse_temperature) {
  double largest = -1e300, sum = 0, mean = 0;
  for (double x : logits) largest = std::max(largest, x * inverse_temperature);
  for (double x : logits) sum += std::exp(x * inverse_temperature - largest);
  const double log_z = largest + std::log(sum);
  for (double x : logits) mean += std::exp(x * inverse_temperature - log_z) * x * inverse_temperature;
  return {logits[target] * inverse_temperature - log_z, log_z - mean};
}

PackedWeight packed(const at::Tensor& w, Dtype dtype) {
  PackedWeight p(dtype, 1, w.size(0), w.size(1));
  p.pack(matrix_view(f32(w), w.size(0), w.size(1)));
  return p;
}

}  // namespace

TEST_CASE("the log-probability of one of two equal logits is -ln 2, and so is minus the entropy", "[token_logprob]") {
  const at::Tensor logits = zeros_f32({1, 2});
  const int32_t target = 1;
  const float temperature = 1.0f;
  const auto out = token_logprob(logits, 2, &target, &temperature);
  REQUIRE(f32(out.logprob)[0] == Approx(-std::log(2.0)).epsilon(1e-6));
  REQUIRE(f32(out.entropy)[0] == Approx(std::log(2.0)).epsilon(1e-6));
}

TEST_CASE("padded ids have no share of the probability", "[token_logprob]") {
  const at::Tensor logits = zeros_f32({1, 5});
  f32(logits)[4] = 1000.0f;  // beyond the vocabulary of 4
  const int32_t target = 0;
  const float temperature = 1.0f;
  REQUIRE(f32(token_logprob(logits, 4, &target, &temperature).logprob)[0] == Approx(-std::log(4.0)).epsilon(1e-6));
}

TEST_CASE("log-probabilities agree with float64 for any vocabulary and temperature, on every instruction set", "[token_logprob]") {
  for (int64_t vocab : {1, 16, 19, 1024, 1025, 5000}) {
    const int64_t rows = 5;
    const at::Tensor logits = random_f32({rows, vocab}, 1, 4.0);
    const std::vector<int32_t> targets{0, static_cast<int32_t>(vocab - 1), static_cast<int32_t>(vocab / 2), 0, -1};
    const std::vector<float> inverse{1.0f, 1.25f, 0.5f, 10.0f, 1.0f};
    at::Tensor first;
    for (const char* isa : {"plain", "avx2", "avx512"}) {
      if (!cpu_kernels_named(isa)) { WARN("this processor lacks " << isa); continue; }
      use_cpu_kernels(isa);
      const auto out = token_logprob(logits, vocab, targets.data(), inverse.data());
      for (int64_t r = 0; r < 4; ++r) {
        const Exact e = exact_row({f32(logits) + r * vocab, f32(logits) + (r + 1) * vocab}, targets[r], inverse[r]);
        REQUIRE(f32(out.logprob)[r] == Approx(e.logprob).margin(2e-5).epsilon(1e-6));
        REQUIRE(f32(out.entropy)[r] == Approx(e.entropy).margin(2e-5).epsilon(1e-5));
      }
      REQUIRE(f32(out.logprob)[4] == 0.0f);
      if (first.defined()) REQUIRE(same_bits(first, out.logprob));
      first = out.logprob;
    }
  }
}

TEST_CASE("the trainer's chunked head gives the sampler's bits", "[token_logprob]") {
  for (Dtype dtype : {Dtype::float32, Dtype::bf16}) {
    const int64_t rows = 70, width = 32, vocab = 300000;  // chunks of 26 rows
    const at::Tensor x = rounded(random_f32({rows, width}, 1), dtype);
    const PackedWeight w = packed(random_f32({vocab, width}, 2, 0.2), dtype);
    const std::vector<int32_t> targets(rows, 123456);
    const std::vector<float> inverse(rows, 1.0f);
    const auto trainer = linear_token_logprob(x, w, vocab, targets.data(), inverse.data());
    for (int64_t r : {0, 26, 69}) {
      const auto sampler = token_logprob(linear(x.narrow(0, r, 1), w), vocab, targets.data(), inverse.data());
      REQUIRE(same_bits(sampler.logprob, trainer.logprob.narrow(0, r, 1)));
      REQUIRE(same_bits(sampler.entropy, trainer.entropy.narrow(0, r, 1)));
    }
  }
}

TEST_CASE("the gradients of log-probability and entropy agree with float64 finite differences", "[token_logprob]") {
  const int64_t rows = 4, width = 6, vocab = 19;
  const at::Tensor x = random_f32({rows, width}, 1), w = random_f32({vocab, width}, 2);
  const at::Tensor dl = random_f32({rows}, 3), de = random_f32({rows}, 4);
  const std::vector<int32_t> targets{3, 18, 0, 7};
  const std::vector<float> inverse{1.0f, 0.8f, 1.5f, 1.0f};
  auto loss = [&](const std::vector<double>& xs, const std::vector<double>& ws) {
    double sum = 0;
    for (int64_t r = 0; r < rows; ++r) {
      std::vector<double> logits(vocab, 0.0);
      for (int64_t v = 0; v < vocab; ++v)
        for (int64_t d = 0; d < width; ++d) logits[v] += xs[r * width + d] * ws[v * width + d];
      const Exact e = exact_row(logits, targets[r], inverse[r]);
      sum += f32(dl)[r] * e.logprob + f32(de)[r] * e.entropy;
    }
    return sum;
  };
  const PackedWeight p = packed(w, Dtype::float32);
  const auto forward = linear_token_logprob(x, p, vocab, targets.data(), inverse.data());
  const at::Tensor dw = zeros_f32({vocab, width});
  const at::Tensor dx = linear_token_logprob_backward(dl, de, x, p, vocab, targets.data(), inverse.data(), forward, matrix_view(f32(dw), vocab, width));
  std::vector<double> xs(f32(x), f32(x) + x.numel()), ws(f32(w), f32(w) + w.numel());
  auto check = [&](std::vector<double>& values, const at::Tensor& gradient) {
    for (int64_t i = 0; i < gradient.numel(); ++i) {
      const double h = 1e-5, center = values[i];
      values[i] = center + h;
      const double up = loss(xs, ws);
      values[i] = center - h;
      const double down = loss(xs, ws);
      values[i] = center;
      REQUIRE(f32(gradient)[i] == Approx((up - down) / (2 * h)).margin(1e-5).epsilon(1e-4));
    }
  };
  check(xs, dx);
  check(ws, dw);
}

TEST_CASE("bf16 head gradients are the same on every instruction set and for any even split of the rows", "[token_logprob]") {
  const int64_t rows = 40, width = 16, vocab = 19;  // an odd vocabulary: the last pair of dlogits is padded
  const at::Tensor x = rounded(random_f32({rows, width}, 1), Dtype::bf16), dl = random_f32({rows}, 3);
  const PackedWeight p = packed(random_f32({vocab, width}, 2), Dtype::bf16);
  const std::vector<int32_t> targets(rows, 5);
  const std::vector<float> inverse(rows, 1.0f);
  at::Tensor first_dx, first_dw;
  for (const char* isa : {"plain", "avx2", "avx512"}) {
    if (!cpu_kernels_named(isa)) continue;
    use_cpu_kernels(isa);
    const auto forward = linear_token_logprob(x, p, vocab, targets.data(), inverse.data());
    const at::Tensor dw = zeros_f32({vocab, width}), split = zeros_f32({vocab, width});
    const at::Tensor dx = linear_token_logprob_backward(dl, {}, x, p, vocab, targets.data(), inverse.data(), forward, matrix_view(f32(dw), vocab, width));
    for (auto [at, count] : {std::pair<int64_t, int64_t>{0, 6}, {6, 34}}) {
      const auto part = linear_token_logprob(x.narrow(0, at, count), p, vocab, targets.data(), inverse.data());
      linear_token_logprob_backward(dl.narrow(0, at, count), {}, x.narrow(0, at, count), p, vocab, targets.data(), inverse.data(), part,
                                    matrix_view(f32(split), vocab, width));
    }
    REQUIRE(same_bits(dw, split));
    if (first_dx.defined()) REQUIRE((same_bits(first_dx, dx) && same_bits(first_dw, dw)));
    first_dx = dx, first_dw = dw;
  }
}

// Forward and backward over `rows` rows of two numbers: all that grows with rows is a few bytes each.
static int64_t loss_memory(int64_t rows, int64_t vocab) {
  const at::Tensor x = rounded(random_f32({rows, 2}, 1), Dtype::bf16), w = random_f32({vocab, 2}, 2), dw = zeros_f32({vocab, 2});
  const PackedWeight head = packed(w, Dtype::bf16);
  const std::vector<int32_t> targets(static_cast<size_t>(rows), 1);
  const std::vector<float> temperature(static_cast<size_t>(rows), 1.0f);
  const at::Tensor dlogprob = random_f32({rows}, 3);
  return testing::added_at_peak([&] {
    const auto out = linear_token_logprob(x, head, vocab, targets.data(), temperature.data());
    linear_token_logprob_backward(dlogprob, {}, x, head, vocab, targets.data(), temperature.data(), out,
                                  matrix_view(f32(dw), vocab, 2));
  });
}

// Two chunks: the allocator may hold the last one's blocks beside the new ones. And a little for the rows.
constexpr int64_t most_loss_memory = int64_t{2 * 64 + 16} << 20;

TEST_CASE("the loss takes the memory of two chunks, whatever the rows and the vocabulary", "[token_logprob][memory]") {
  if (loss_memory(2, 16) < 0) return;
  for (const int64_t vocab : {49152, 151936})
    for (const int64_t rows : {256, 1024}) {
      INFO(rows << " rows, vocabulary " << vocab);
      // 1,024 rows of 151,936 logits and gradients would be 900 MB. One chunk is 2^23 logits at 4 + 2 + 2 bytes.
      CHECK(token_logprob_chunk_bytes(Dtype::bf16, vocab, rows) <= int64_t{64} << 20);
      CHECK(loss_memory(rows, vocab) <= most_loss_memory);
    }
}

TEST_CASE("at 65,536 rows the loss takes the memory of 1,024", "[.long][token_logprob][memory]") {
  for (const int64_t vocab : {49152, 151936})
    CHECK(loss_memory(65536, vocab) <= most_loss_memory);
}
