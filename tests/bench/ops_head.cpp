// What stands after the last layer: sampling, log-probability, optimizer.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "kernels/adamw.h"
#include "kernels/token_logprob.h"
#include "rollout/sampler.h"
#include "tests/bench/ops.h"
#include "tests/support/random_tensor.h"

namespace bench {
namespace {

constexpr int64_t kVocab = 49152, kWidth = 576;

struct Head {
  at::Tensor weight, x, dlogprob, dw;
  kernels::PackedWeight packed;
  std::vector<int32_t> targets;
  std::vector<float> inverse_temperature;
};

Head make_head(int64_t rows) {
  Head h;
  h.weight = kernels::widened(kernels::rounded(testing::random_f32({kVocab, kWidth}, 1, 0.1f), kernels::Dtype::bf16));
  h.packed = kernels::PackedWeight(kernels::Dtype::bf16, 1, kVocab, kWidth);
  h.packed.pack(kernels::matrix_view(kernels::f32(h.weight), kVocab, kWidth));
  h.x = kernels::rounded(testing::random_f32({rows, kWidth}, 2), kernels::Dtype::bf16);
  h.dlogprob = testing::random_f32({rows}, 3);
  h.dw = kernels::zeros_f32({kVocab, kWidth});
  for (int64_t i = 0; i < rows; ++i) h.targets.push_back(static_cast<int32_t>(i * 7919 % kVocab));
  h.inverse_temperature.assign(static_cast<size_t>(rows), 1.0f);
  return h;
}

// Row 1 against float64.
void check(const Head& h, const kernels::TokenLogprob& got) {
  const at::Tensor x = kernels::widened(h.x);
  std::vector<double> z(kVocab);
  for (int64_t v = 0; v < kVocab; ++v)
    for (int64_t k = 0; k < kWidth; ++k)
      z[static_cast<size_t>(v)] += double(kernels::f32(x)[kWidth + k]) * double(kernels::f32(h.weight)[v * kWidth + k]);
  const double largest = *std::max_element(z.begin(), z.end());
  double sum = 0;
  for (const double v : z) sum += std::exp(v - largest);
  const double expected = z[static_cast<size_t>(h.targets[1])] - largest - std::log(sum);
  if (std::abs(expected - double(kernels::f32(got.logprob)[1])) > 1e-4)
    wrong(fmt::format("the log-probability is {} instead of {}", kernels::f32(got.logprob)[1], expected));
}

}  // namespace

void loss(Ops& ops) {
  ops.report.table("linear + token_logprob", 4,
                   "head of SmolLM2, logits never stored; 2 operations by weight and row forward, 4 backward "
                   "(the logits made again are not counted); of_peak: share of the bf16 peak");
  const int64_t rows = ops.quick ? 128 : 2048;
  const Head h = make_head(rows);
  const auto* targets = h.targets.data();
  const float* temperature = h.inverse_temperature.data();
  const auto forward = kernels::linear_token_logprob(h.x, h.packed, kVocab, targets, temperature);
  check(h, forward);
  const auto add = [&](const char* op, double operations, const std::function<void()>& body) {
    const Spread t = time_of(std::min(ops.samples, 5), body);
    const double gflops = operations * double(rows * kVocab * kWidth) / t.median * 1e-9;
    ops.report.row({{"op", op},
                    {"rows", rows},
                    {"vocab", kVocab},
                    {"dtype", "bf16"},
                    {"ms_min", t.min * 1e3},
                    {"ms_median", t.median * 1e3},
                    {"ms_max", t.max * 1e3},
                    {"gflops", gflops},
                    {"of_peak", gflops / ops.peaks.bf16}});
  };
  add("forward", 2, [&] { kernels::linear_token_logprob(h.x, h.packed, kVocab, targets, temperature); });
  const auto dw = kernels::matrix_view(kernels::f32(h.dw), kVocab, kWidth);
  add("backward", 4, [&] {
    kernels::linear_token_logprob_backward(h.dlogprob, {}, h.x, h.packed, kVocab, targets, temperature, forward, dw);
  });
}

void sampling(Ops& ops) {
  ops.report.table("sampling", 3, "64 rows of logits at a time; GB/s of logits");
  const int64_t rows = 64;
  const at::Tensor logits = testing::random_f32({rows, kVocab}, 5, 3.0f);
  struct Setting {
    const char* name;
    kernels::SamplingParameters sampling;
  };
  const std::vector<Setting> settings = {{"greedy", {.temperature = 0.0}},
                                         {"temperature 1", {}},
                                         {"top-k 50", {.top_k = 50}},
                                         {"top-p 0.95", {.top_p = 0.95}},
                                         {"min-p 0.05", {.min_p = 0.05}}};
  for (const auto& [name, sampling] : settings) {
    std::vector<rollout::Draw> draws(rows);
    const auto draw = [&, &parameters = sampling] {
      for (int64_t i = 0; i < rows; ++i) {
        rollout::Draw& d = draws[static_cast<size_t>(i)];
        d.row = i, d.sampling = &parameters, d.key.group = static_cast<uint64_t>(i);
      }
      rollout::draw_tokens(logits, kVocab, draws.data(), rows);
    };
    draw();
    const float* row = kernels::f32(logits);
    if (sampling.temperature == 0.0 && draws[0].sampled.token != std::max_element(row, row + kVocab) - row)
      wrong(fmt::format("greedy sampling took {}, not the largest logit", draws[0].sampled.token));
    const Spread t = time_of(ops.samples, draw);
    const double gb = double(logits.nbytes()) / t.median * 1e-9;
    ops.report.row({{"op", name},
                    {"rows", rows},
                    {"vocab", kVocab},
                    {"us_row_min", t.min / double(rows) * 1e6},
                    {"us_row_median", t.median / double(rows) * 1e6},
                    {"us_row_max", t.max / double(rows) * 1e6},
                    {"gb_s", gb},
                    {"of_dram", gb / ops.peaks.dram}});
  }
}

void optimizer(Ops& ops) {
  ops.report.table("optimizer", 2, "32 bytes by parameter: 4 reads and 4 writes of float32 (the gradient becomes 0)");
  const int64_t n = ops.quick ? 8 << 20 : 64 << 20;
  const at::Tensor w = kernels::zeros_f32({n}), g = kernels::zeros_f32({n}), m = kernels::zeros_f32({n}),
                   v = kernels::zeros_f32({n});
  testing::fill_normal(kernels::f32(g), 1 << 16, 6);
  const kernels::AdamwConfig config{.lr = 1e-3};
  const float direction = kernels::f32(g)[0] > 0 ? -1.0f : 1.0f;
  kernels::AdamwStep step{w, g, m, v, 1.0, 1};
  kernels::adamw_step(step, 0, n, config);
  step.step = 2;
  // The first step moves a weight by lr against the sign of its gradient.
  const float expected = direction * 1e-3f;
  if (std::abs(kernels::f32(w)[0] - expected) > 1e-6f) wrong(fmt::format("AdamW moved a weight by {}", kernels::f32(w)[0]));
  const Spread t = time_of(std::min(ops.samples, 7), [&] { kernels::adamw_step(step, 0, n, config); });
  const double gb = 32.0 * double(n) / t.median * 1e-9;
  ops.report.row({{"op", "adamw"},
                  {"parameters", n},
                  {"ms_min", t.min * 1e3},
                  {"ms_median", t.median * 1e3},
                  {"ms_max", t.max * 1e3},
                  {"gb_s", gb},
                  {"of_dram", gb / ops.peaks.dram}});
}

}  // namespace bench
