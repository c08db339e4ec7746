#include "rl/evaluation/compare.h"

#include <fmt/ranges.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>

#include "kernels/error.h"
#include "rl/commands/commands.h"
#include "rl/evaluation/folder.h"
#include "rl/evaluation/results.h"

namespace rl {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Problems = std::vector<EvaluatedProblem>;

// A finished evaluation, as its files have it.
struct Finished {
  Json settings;
  std::map<std::string, Problems> suites;
};

Problems read_samples(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) kernels::fail_usage("eval compare: {} cannot be read. It is part of the evaluation; evaluate again.", file);
  Problems problems;
  std::string line;
  for (int64_t number = 1; std::getline(in, line); ++number)
    problems.push_back(read_record(line, fmt::format("{}:{}", file, number)));
  return problems;
}

Finished read_finished(const std::string& folder) {
  std::ifstream in(folder + "/eval.json");
  const Json begun = Json::parse(in, nullptr, /*allow_exceptions=*/false);
  if (!begun.is_object() || !begun.contains("settings") || !begun.value("date", Json()).is_string())
    kernels::fail_usage("eval compare: {} is no result folder of `ponder eval`: it has no eval.json that can be read.", folder);
  const std::string date = begun["date"].get<std::string>();
  const std::string results = fmt::format("{}/results_{}.json", folder, date);
  std::ifstream file(results);
  const Json json = Json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("results"))
    kernels::fail_usage(
        "eval compare: the evaluation in {} did not end: {} is missing or cut short. Run the same `ponder eval` again; it goes "
        "on.",
        folder, results);
  Finished out;
  out.settings = begun["settings"];
  for (const auto& [suite, values] : json["results"].items())
    out.suites[suite] = read_samples(fmt::format("{}/samples_{}_{}.jsonl", folder, suite, date));
  return out;
}

// The steps of 1/grid in which differences of shares of n_a and n_b samples lie.
int64_t grid_of(const Problems& a, const Problems& b) {
  int64_t grid = 1;
  for (const Problems* side : {&a, &b})
    for (const auto& problem : *side) grid = std::min<int64_t>(std::lcm(grid, std::max<int64_t>(1, problem.scored())), 1 << 16);
  return grid;
}

std::string settings_note(const Json& a, const Json& b) {
  const std::string all = differences(a, b);
  return all.empty() ? "The two have the same settings and the same checkpoint.\n"
                     : "Different in A (there) and B (here): " + all + "\n";
}

}  // namespace

SuiteComparison compare_suites(const std::string& suite, const Problems& a, const Problems& b) {
  SuiteComparison out;
  out.suite = suite;
  std::map<int64_t, const EvaluatedProblem*> in_b;
  for (const auto& problem : b) in_b[problem.doc_id] = &problem;
  std::vector<double> shares_a, shares_b;
  for (const auto& problem : a) {
    const auto found = in_b.find(problem.doc_id);
    if (found != in_b.end() && found->second->data_sha256 != problem.data_sha256)
      kernels::fail_usage(
          "eval compare: {} was measured on different data files (sha256 {:.12} and {:.12}), so its problems cannot be paired. "
          "Evaluate "
          "both on one file.",
          suite, problem.data_sha256, found->second->data_sha256);
    const auto one = problem.share_right(), other = found == in_b.end() ? std::nullopt : found->second->share_right();
    if (!one || !other) continue;
    shares_a.push_back(*one);
    shares_b.push_back(*other);
    out.same_prompts = out.same_prompts && problem.prompt == found->second->prompt;
  }
  out.only_a = static_cast<int64_t>(a.size() - shares_a.size());
  out.only_b = static_cast<int64_t>(b.size() - shares_b.size());
  out.a = mean(shares_a);
  out.b = mean(shares_b);
  out.pairs = compare_pairs(shares_a, shares_b, grid_of(a, b));
  return out;
}

std::string comparison_text(const std::string& folder_a, const std::string& folder_b) {
  const Finished a = read_finished(folder_a), b = read_finished(folder_b);
  std::vector<std::vector<std::string>> rows = {
      {"suite", "problems", "A", "B", "B - A", "± s.e.", "95 % interval", "better", "worse", "p (permutation)"}};
  std::string notes;
  for (const auto& [suite, problems] : a.suites) {
    const auto other = b.suites.find(suite);
    if (other == b.suites.end()) continue;
    const SuiteComparison c = compare_suites(suite, problems, other->second);
    rows.push_back({suite, std::to_string(c.pairs.problems), fmt::format("{:.4f}", c.a), fmt::format("{:.4f}", c.b),
                    fmt::format("{:+.4f}", c.pairs.difference), fmt::format("{:.4f}", c.pairs.standard_error),
                    fmt::format("{:+.4f} to {:+.4f}", c.pairs.interval.low, c.pairs.interval.high),
                    fmt::format("{:.4f}", c.pairs.better), fmt::format("{:.4f}", c.pairs.worse),
                    fmt::format("{:.4f}", c.pairs.p_value)});
    if (c.only_a + c.only_b > 0)
      notes += fmt::format("{}: {} problems of A and {} of B are left out, because the other has no verdict on them.\n", suite,
                           c.only_a, c.only_b);
    if (!c.same_prompts) notes += fmt::format("{}: the prompts differ, so this compares prompts too.\n", suite);
  }
  if (rows.size() == 1) kernels::fail_usage("eval compare: {} and {} have no suite in common.", folder_a, folder_b);
  return fmt::format("A: {}\nB: {}\n{}{}\n{}", folder_a, folder_b, settings_note(a.settings, b.settings), notes,
                     markdown_table(rows, {false, true, true, true, true, true, true, true, true, true}));
}

int run_eval_compare(const std::string& folder_a, const std::string& folder_b) {
  fmt::print("{}", comparison_text(folder_a, folder_b));
  return 0;
}

}  // namespace rl
