// Time and verdict of the math verifier on the labelled cases. The answers are checked by tests/reward/math/cases_test.cpp.
//
// Usage: verifier_bench CASES_FOLDER > OURS.jsonl      lines {"id", "match", "status", "reason", "us"}; a summary on stderr
//
// "us" is the processor time of a call, the median of 5, extraction and reading of the gold included, on one thread.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "tests/reward/math/labelled.h"

namespace {

using labelled::Case;
using reward::math::Status;
using reward::math::Verdict;
using reward::math::Verifier;

double processor_microseconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return double(t.tv_sec) * 1e6 + double(t.tv_nsec) * 1e-3;
}

double microseconds(const Verifier& verifier, const std::string& text, const std::vector<std::string>& golds, Verdict& verdict) {
  double times[5];
  for (double& time : times) {
    const double start = processor_microseconds();
    verdict = verifier.verify(text, golds);
    time = processor_microseconds() - start;
  }
  std::nth_element(times, times + 2, times + 5);
  return times[2];
}

void print_summary(const std::string& name, std::vector<double> times) {
  std::sort(times.begin(), times.end());
  double sum = 0;
  for (const double t : times) sum += t;
  fmt::print(stderr, "{:<12} {:>6} calls  median {:8.1f} us  p99 {:8.1f} us  slowest {:8.1f} us  all {:8.1f} ms\n", name,
             times.size(), times[times.size() / 2], times[times.size() * 99 / 100], times.back(), sum / 1000);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: verifier_bench tests/reward/math/cases > OURS.jsonl\n");
    return 2;
  }
  std::vector<double> labelled_times, perturbed_times, hostile_times;
  for (const Case& c : labelled::read_cases(argv[1])) {
    const Verifier verifier(c.profile, labelled::extraction_of(c.extraction));
    Verdict verdict;
    const double us = microseconds(verifier, c.prediction, c.golds, verdict);
    (c.category == "perturbed" ? perturbed_times : labelled_times).push_back(us);
    if (c.category == "hostile") hostile_times.push_back(us);
    const nlohmann::ordered_json line = {{"id", c.id},
                                         {"match", verdict.status == Status::match},
                                         {"status", reward::math::name_of(verdict.status)},
                                         {"reason", verdict.reason},
                                         {"us", us}};
    fmt::print("{}\n", line.dump());
  }
  print_summary("labelled", labelled_times);
  print_summary("hostile", hostile_times);
  print_summary("perturbed", perturbed_times);
  std::vector<double> large_times;
  for (const auto& text : labelled::large_inputs()) {
    Verdict verdict;
    large_times.push_back(microseconds(Verifier("default", reward::math::Extraction::whole), text, {"7"}, verdict));
  }
  print_summary("large", large_times);
}
