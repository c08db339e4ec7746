// Small, fixed pieces of work for callgrind, which counts the instructions of each. One thread. See instruction_counts.py.
//
// Usage: counted_ops             under valgrind --tool=callgrind --instr-atstart=no
//        counted_ops --compiler  prints what built it: counts are comparable only for equal lines
#include <fmt/core.h>
#include <valgrind/callgrind.h>

#include <cstring>

#include "kernels/adamw.h"
#include "kernels/linear.h"
#include "kernels/rms_norm.h"
#include "kernels/sample_token.h"
#include "kernels/swiglu.h"
#include "kernels/thread_pool.h"
#include "kernels/token_logprob.h"
#include "rollout/engine.h"
#include "tests/bench/train_runs.h"
#include "tests/rollout/toy_models.h"
#include "tests/support/random_tensor.h"

namespace {

using kernels::Dtype;
using testing::random_f32;

// The second of two runs: the first makes scratch memory and tables.
template <typename Body>
void count(const char* name, Body body) {
  body();
  CALLGRIND_START_INSTRUMENTATION;
  CALLGRIND_ZERO_STATS;
  body();
  CALLGRIND_DUMP_STATS_AT(name);
  CALLGRIND_STOP_INSTRUMENTATION;
}

kernels::PackedWeight packed(Dtype dtype, int64_t out, int64_t in) {
  kernels::PackedWeight w(dtype, 1, out, in);
  w.pack(kernels::matrix_view(kernels::f32(random_f32({out, in}, 1, 0.1f)), out, in));
  return w;
}

void products(Dtype dtype, const char* name) {
  const int64_t out = 192, in = 128;
  const auto w = packed(dtype, out, in);
  const at::Tensor dw = kernels::zeros_f32({out, in});
  for (const int64_t rows : {1, 3, 8, 32}) {
    const at::Tensor x = kernels::rounded(random_f32({rows, in}, 2), dtype),
                     dy = kernels::rounded(random_f32({rows, out}, 3), dtype);
    const auto named = [&](const char* op) { return fmt::format("{} {}, {} rows", op, name, rows); };
    count(named("linear").c_str(), [&] { kernels::linear(x, w); });
    if (rows < 32) continue;
    count(named("linear dX").c_str(), [&] { kernels::linear_backward_input(dy, w); });
    count(named("linear dW").c_str(),
          [&] { kernels::linear_backward_weight(dy, x, kernels::matrix_view(kernels::f32(dw), out, in)); });
  }
}

void head() {
  const int64_t rows = 16, vocab = 1024, width = 64;
  const auto w = packed(Dtype::bf16, vocab, width);
  const at::Tensor x = kernels::rounded(random_f32({rows, width}, 2), Dtype::bf16), d = random_f32({rows}, 3);
  const at::Tensor dw = kernels::zeros_f32({vocab, width});
  const std::vector<int32_t> targets(rows, 5);
  const std::vector<float> one(rows, 1.0f);
  const auto forward = kernels::linear_token_logprob(x, w, vocab, targets.data(), one.data());
  count("token_logprob forward", [&] { kernels::linear_token_logprob(x, w, vocab, targets.data(), one.data()); });
  count("token_logprob backward", [&] {
    kernels::linear_token_logprob_backward(d, {}, x, w, vocab, targets.data(), one.data(), forward,
                                           kernels::matrix_view(kernels::f32(dw), vocab, width));
  });
  const at::Tensor logits = random_f32({1, 16384}, 4, 3.0f);
  count("sample, temperature 1", [&] { kernels::sample_token(kernels::f32(logits), 16384, {}, 0.5); });
  count("sample, top-p 0.95", [&] { kernels::sample_token(kernels::f32(logits), 16384, {.top_p = 0.95}, 0.5); });
}

void elementwise() {
  const at::Tensor x = random_f32({64, 256}, 1), dy = random_f32({64, 256}, 2), weight = random_f32({256}, 3);
  const at::Tensor dweight = kernels::zeros_f32({256});
  const auto normed = kernels::rms_norm(x, weight, 1e-5, Dtype::bf16);
  count("rms_norm", [&] { kernels::rms_norm(x, weight, 1e-5, Dtype::bf16); });
  count("rms_norm backward", [&] { kernels::rms_norm_backward(dy, x, weight, normed.inverse, dweight); });
  count("swiglu", [&] { kernels::swiglu(x, dy, Dtype::bf16); });
  const at::Tensor w = random_f32({65536}, 4), g = random_f32({65536}, 5), m = kernels::zeros_f32({65536}),
                   v = kernels::zeros_f32({65536});
  count("adamw", [&] { kernels::adamw_step({w, g, m, v, 1.0, 1}, 0, 65536, {}); });
}

void models() {
  const bench::TrainLoad load{.prompts = 1, .samples = 2, .prompt_tokens = 32, .new_tokens = 16};
  bench::TrainRunner dense(toy::dense(), Dtype::bf16, load), latent(toy::mla_moe(), Dtype::bf16, load);
  count("training pass, GQA, dense", [&] { dense.seconds(true); });
  count("training pass, MLA, experts", [&] { latent.seconds(true); });
  const auto weights = toy::weights(toy::dense(), Dtype::bf16);
  count("engine, 4 sequences", [&] {
    rollout::EngineConfig config;
    config.cache_bytes = 1 << 20;
    rollout::Engine engine(weights->config, Dtype::bf16, config, nullptr);
    engine.publish(weights);
    engine.submit(toy::request(1, 48, 4, 8));
    toy::collect(engine);
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--compiler") == 0) {
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    fmt::print("g++ {}\n", __VERSION__);
#else
    fmt::print("g++ {}, not optimised or with sanitizers\n", __VERSION__);
#endif
    return 0;
  }
  kernels::set_threads(1);
  products(Dtype::bf16, "bf16");
  products(Dtype::float32, "float32");
  head();
  elementwise();
  models();
}
