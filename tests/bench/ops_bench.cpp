// The kernels one by one: right answer first, then time, share of the peak that this run measured.
//
// Usage: ops_bench [PART...] [--quick] [--samples N] [--json FILE]
//        PART: products linear attention sampling loss optimizer (all if none is named)
//        ops_bench --gate SHARE   exits 1 if a bf16 product at 64 rows stays below SHARE of the peak; on a processor
//                                 without AVX-512-BF16 it says so and exits 0
#include <fmt/core.h>

#include <cstring>

#include "kernels/error.h"
#include "kernels/isa/table.h"
#include "tests/bench/ops.h"

namespace {

int gate(double required) {
#ifndef __OPTIMIZE__
  fmt::print("skipped: this build is not optimised\n");
  return 0;
#endif
  if (std::strcmp(cpu_kernels().name, "avx512") != 0) {
    fmt::print("skipped: the kernels in use are {}, not AVX-512-BF16\n", cpu_kernels().name);
    return 0;
  }
  const double share = bench::best_share_at_64_rows();
  fmt::print("bf16 product at 64 rows: {:.0f} % of the peak, {:.0f} % required\n", share * 100, required * 100);
  return share >= required ? 0 : 1;
}

int run(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv, {"quick", "samples=", "json=", "gate="});
  if (arguments.has("gate")) return gate(std::stod(arguments.text("gate", "")));
  const bool quick = arguments.has("quick");
  const bench::Peaks peaks = bench::measure_peaks(quick);
  bench::Report report("ops_bench", peaks);
  bench::Ops ops{peaks, report, quick, static_cast<int>(arguments.numbers("samples", {quick ? 3 : 15})[0])};
  const std::map<std::string, void (*)(bench::Ops&)> parts = {{"products", bench::products},   {"linear", bench::linear},
                                                              {"attention", bench::attention}, {"sampling", bench::sampling},
                                                              {"loss", bench::loss},           {"optimizer", bench::optimizer}};
  std::vector<std::string> wanted = arguments.words();
  if (wanted.empty()) wanted = {"products", "linear", "attention", "sampling", "loss", "optimizer"};
  for (const auto& name : wanted) {
    if (!parts.count(name))
      kernels::fail_usage("ops_bench: no part is named '{}'; see the top of tests/bench/ops_bench.cpp.", name);
    parts.at(name)(ops);
  }
  report.write(arguments.text("json", ""));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
