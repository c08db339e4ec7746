// Generation and prompt processing with the rollout engine, against the roofline that this run measured; cost curves.
//
// Usage: engine_bench [generation] [prompt] [curves] [--model DIR] [--sequences 1,8,16,32,64] [--new-tokens 128]
//                     [--quick] [--json FILE]     (all three parts if none is named)
//
// Generation is measured as llama-batched-bench does: the decode phase alone, 64 prompt tokens, every prompt different.
#include <fmt/core.h>

#include "kernels/error.h"
#include "tests/bench/engine_runs.h"

namespace bench {

void generation(Report& report, const std::shared_ptr<const model::WeightSet>& weights, const Peaks& peaks,
                const std::vector<int64_t>& sequences, int64_t new_tokens) {
  report.table("generation", 3,
               "decode phase; roofline: sequences / (max(weight bytes / DRAM read, sequences * 2 * parameters / bf16 peak) "
               "+ sequences * context * cache bytes of a token / DRAM read), context = 64 + new tokens / 2; dram_gb_s: the best of "
               "ten reads just before and after");
  Runner runner(weights);
  for (const int64_t count : sequences) {
    const Load load{.prompts = count, .prompt_tokens = 64, .new_tokens = new_tokens};
    double seconds = 0;
    const Peaks around = with_dram_around(peaks, [&] { seconds = runner.decode_seconds(load); });
    const double speed = double(count * load.new_tokens) / seconds;
    const double roofline = double(count) / roofline_seconds(*weights, around, count, 64 + double(new_tokens) / 2);
    report.row({{"sequences", count},
                {"new_tokens", new_tokens},
                {"dtype", kernels::name_of(weights->dtype)},
                {"tok_s", speed},
                {"ms_a_step", seconds / double(new_tokens) * 1e3},
                {"dram_gb_s", around.dram},
                {"roofline_tok_s", roofline},
                {"generation_vs_roofline", speed / roofline}});
  }
}

void prompt(Report& report, const std::shared_ptr<const model::WeightSet>& weights, const Peaks& peaks, int64_t tokens) {
  report.table("prompt", 2,
               "one prompt, up to its first sampled token; of_peak: 2 * parameters * tokens by second, share of the bf16 peak");
  Runner runner(weights);
  runner.prompt_seconds({.prompt_tokens = tokens});
  const double seconds = runner.prompt_seconds({.prompt_tokens = tokens});
  const double gflops = 2 * parameters_of(*weights) * double(tokens) / seconds * 1e-9;
  report.row({{"tokens", tokens},
              {"dtype", kernels::name_of(weights->dtype)},
              {"tok_s", double(tokens) / seconds},
              {"ms", seconds * 1e3},
              {"gflops", gflops},
              {"of_peak", gflops / peaks.bf16}});
}

namespace {

int run(int argc, char** argv) {
  const Arguments arguments(argc, argv, {"model=", "sequences=", "new-tokens=", "quick", "json="});
  const bool quick = arguments.has("quick");
  std::vector<std::string> parts = arguments.words();
  if (parts.empty()) parts = {"generation", "prompt", "curves"};
  const auto weights = read_weight_set(arguments.text("model", "models/smollm2-135m"), kernels::Dtype::bf16);
  check_engine(weights);
  const Peaks peaks = measure_peaks(quick);
  Report report("engine_bench", peaks);
  for (const auto& part : parts) {
    if (part == "generation") {
      const auto sequences =
          arguments.numbers("sequences", quick ? std::vector<int64_t>{1, 8} : std::vector<int64_t>{1, 8, 16, 32, 64});
      generation(report, weights, peaks, sequences, arguments.numbers("new-tokens", {quick ? 16 : 128})[0]);
    } else if (part == "prompt") {
      prompt(report, weights, peaks, 512);
    } else if (part == "curves") {
      curves(report, weights, peaks, quick);
    } else {
      kernels::fail_usage("engine_bench: no part is named '{}'; there are generation, prompt and curves.", part);
    }
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
