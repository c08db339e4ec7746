// The training step's parts: forward and backward as a share of the bf16 peak, and the memory of the loss.
//
// Usage: step_bench [pass] [loss-memory] [--model DIR] [--quick] [--json FILE]     (both parts if none is named)
//
// The whole step is timed from outside, by bench.py, on `ponder train` itself.
#include <fmt/core.h>
#include <malloc.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "kernels/error.h"
#include "kernels/token_logprob.h"
#include "model/files/checkpoint_folder.h"
#include "tests/bench/train_runs.h"
#include "tests/support/random_tensor.h"

namespace bench {
namespace {

void forward_backward(Report& report, const Peaks& peaks, const std::string& folder, bool quick) {
  report.table("forward + backward", 4,
               "6 operations by parameter and row (the head's by completion token); of_peak: share of the bf16 peak, "
               "blocks that run again not counted");
  auto store = std::make_unique<model::ParameterStore>(model::read_config(folder), true);
  model::read_weights(folder, *store);
  const TrainLoad load =
      quick ? TrainLoad{.prompts = 1, .samples = 2, .new_tokens = 64} : TrainLoad{.prompts = 2, .samples = 8};
  TrainRunner runner(std::move(store), kernels::Dtype::bf16, load);
  const auto& weights = runner.weights();
  const double size = double(kernels::bytes_of(weights.dtype)), head = double(weights.head.bytes()) / size;
  const double body =
      double(weights.bytes() - weights.embedding.bytes() - (weights.config.tied_embedding ? 0 : weights.head.bytes())) / size;
  const double operations = 6 * (body * double(runner.rows()) + head * double(runner.head_rows()));
  for (const bool recompute : {false, true}) {
    std::vector<double> times;
    runner.seconds(recompute);
    for (int i = 0; i < (quick ? 1 : 5); ++i) times.push_back(runner.seconds(recompute));
    const Spread t = spread(times);
    const double gflops = operations / t.median * 1e-9;
    report.row({{"rows", runner.rows()},
                {"completion_tokens", runner.head_rows()},
                {"dtype", "bf16"},
                {"blocks_run_again", recompute ? "yes" : "no"},
                {"s_min", t.min},
                {"s_median", t.median},
                {"s_max", t.max},
                {"tok_s", double(runner.head_rows()) / t.median},
                {"gflops", gflops},
                {"of_peak", gflops / peaks.bf16}});
  }
}

// A field of /proc/self/status in MB.
double status_mb(const std::string& field) {
  std::ifstream in("/proc/self/status");
  for (std::string name; in >> name;) {
    double kb = 0;
    if (name == field && in >> kb) return kb / 1024;
    in.ignore(1 << 10, '\n');
  }
  kernels::fail("step_bench: /proc/self/status has no {}.", field);
}

void reset_peak() {
  std::ofstream out("/proc/self/clear_refs");
  out << "5";
  if (!out.flush())
    kernels::fail("step_bench: /proc/self/clear_refs could not be written; the peak of memory cannot be reset.");
}

// One setting, in a process of its own: prints seconds, MB of outputs, and MB above inputs, outputs and weight gradient.
void loss_setting(int64_t vocab, int64_t tokens) {
  const int64_t width = 64;
  kernels::PackedWeight w(kernels::Dtype::bf16, 1, vocab, width);
  w.pack(kernels::matrix_view(kernels::f32(testing::random_f32({vocab, width}, 1, 0.1f)), vocab, width));
  const at::Tensor dw = kernels::zeros_f32({vocab, width});
  std::fill_n(kernels::f32(dw), dw.numel(), 0.0f);  // its pages are there before the loss begins
  const at::Tensor x = kernels::rounded(testing::random_f32({tokens, width}, 2), kernels::Dtype::bf16),
                   d = testing::random_f32({tokens}, 3);
  const std::vector<int32_t> targets(static_cast<size_t>(tokens), 7);
  const std::vector<float> inverse_temperature(static_cast<size_t>(tokens), 1.0f);
  malloc_trim(0);
  reset_peak();
  const double before = status_mb("VmRSS:"), start = now();
  const auto head = kernels::linear_token_logprob(x, w, vocab, targets.data(), inverse_temperature.data());
  const at::Tensor dx = kernels::linear_token_logprob_backward(d, {}, x, w, vocab, targets.data(), inverse_temperature.data(),
                                                               head, kernels::matrix_view(kernels::f32(dw), vocab, width));
  const double outputs = double(dx.nbytes() + 3 * head.logprob.nbytes()) / 1048576;
  fmt::print("{} {} {}\n", now() - start, outputs, status_mb("VmHWM:") - before - outputs);
}

void loss_memory(Report& report, const std::string& program, bool quick) {
  report.table("loss memory", 2,
               "linear + token_logprob, forward and backward, width 64; extra_mb: peak memory above inputs, outputs and the "
               "gradient of the weight; expected: the same in each row of a vocabulary; growth: by its first row");
  for (const int64_t vocab : {49152, 151936}) {
    double first = 0;
    for (const int64_t tokens : quick ? std::vector<int64_t>{256, 1024} : std::vector<int64_t>{1024, 4096, 16384, 65536}) {
      const std::string command = fmt::format("'{}' loss-setting --vocab {} --tokens {}", program, vocab, tokens);
      FILE* pipe = popen(command.c_str(), "r");
      double seconds = 0, outputs = 0, extra = 0;
      const int read = pipe ? std::fscanf(pipe, "%lf %lf %lf", &seconds, &outputs, &extra) : 0;
      if (!pipe || pclose(pipe) != 0 || read != 3) kernels::fail("step_bench: {} failed.", command);
      if (first == 0) first = extra;
      report.row({{"vocab", vocab},
                  {"tokens", tokens},
                  {"seconds", seconds},
                  {"outputs_mb", outputs},
                  {"extra_mb", extra},
                  {"growth", extra / first},
                  {"logits_would_be_mb", double(tokens * vocab) * 4 / 1048576}});
    }
  }
}

int run(int argc, char** argv) {
  const Arguments arguments(argc, argv, {"model=", "quick", "json=", "vocab=", "tokens="});
  const bool quick = arguments.has("quick");
  std::vector<std::string> parts = arguments.words();
  if (parts == std::vector<std::string>{"loss-setting"}) {
    loss_setting(arguments.numbers("vocab", {49152})[0], arguments.numbers("tokens", {1024})[0]);
    return 0;
  }
  if (parts.empty()) parts = {"pass", "loss-memory"};
  const Peaks peaks = measure_peaks(quick);
  Report report("step_bench", peaks);
  for (const auto& part : parts) {
    if (part == "pass")
      forward_backward(report, peaks, arguments.text("model", "models/smollm2-135m"), quick);
    else if (part == "loss-memory")
      loss_memory(report, argv[0], quick);
    else
      kernels::fail_usage("step_bench: no part is named '{}'; there are pass and loss-memory.", part);
  }
  report.write(arguments.text("json", ""));
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  try {
    return bench::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
