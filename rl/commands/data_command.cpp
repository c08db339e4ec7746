// `ponder data contamination` and `ponder data identity`: what a data file holds that it should not.
#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "rl/commands/commands.h"
#include "rl/data/contamination.h"
#include "rl/data/identity.h"
#include "rl/data/test_sets.h"

namespace rl {
namespace {

using Json = nlohmann::ordered_json;

void print_json(const Json& json) { fmt::print("{}\n", json.dump(1, ' ', false, Json::error_handler_t::replace)); }

// On one line, line breaks and tabs as spaces.
std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return text;
}

Json counts_json(const Contamination::Counts& counts) {
  return {{"rows", counts.rows},
          {"exact", counts.exact},
          {"normalised", counts.normalised},
          {"overlap_13_words", counts.overlap}};
}

Json json_of(const Contamination& found, int64_t examples) {
  Json hits = Json::array();
  for (const auto& hit : found.hits) {
    if (static_cast<int64_t>(hits.size()) == examples) break;
    hits.push_back({{"match", name_of(hit.match)},
                    {"train_line", hit.train_line},
                    {"test_line", hit.test_line},
                    {"same_numbers", hit.match == Match::overlap ? Json(nullptr) : Json(hit.certain)},
                    {"text", hit.text}});
  }
  return {{"test", found.test_name},
          {"train_rows_in_test", counts_json(found.train)},
          {"test_rows_in_train", counts_json(found.test)},
          {"normalised_with_other_numbers", found.uncertain},
          {"common_runs_left_out", found.boilerplate},
          {"examples", hits}};
}

void print_table(const std::vector<Contamination>& all) {
  size_t width = 4;
  for (const auto& found : all) width = std::max(width, found.test_name.size());
  fmt::print("{:<{}}  {:>8}  {:^29}  {:^29}\n", "", width, "", "training rows in the test set",
             "test rows in the training set");
  fmt::print("{:<{}}  {:>8}  {:>8} {:>11} {:>8}  {:>8} {:>11} {:>8}\n", "test", width, "problems", "exact", "normalised",
             "13 words", "exact", "normalised", "13 words");
  for (const auto& found : all)
    fmt::print("{:<{}}  {:>8}  {:>8} {:>11} {:>8}  {:>8} {:>11} {:>8}\n", found.test_name, width, found.test.rows,
               found.train.exact, found.train.normalised, found.train.overlap, found.test.exact, found.test.normalised,
               found.test.overlap);
}

void print_examples(const Contamination& found, int64_t examples) {
  if (found.uncertain > 0)
    fmt::print("\n{}: {} of the normalised matches have other numbers or signs (22.5 and 225).\n",
               found.test_name, found.uncertain);
  int64_t shown = 0;
  for (const auto& hit : found.hits) {
    if (shown++ == examples) break;
    if (shown == 1) fmt::print("\n{}\n", found.test_name);
    fmt::print("  {:<10} {:>6} -> {:<6} {}\n",
               hit.certain || hit.match == Match::overlap ? name_of(hit.match) : "normalised?", hit.train_line,
               hit.test_line, one_line(hit.text));
  }
  const auto rest = static_cast<int64_t>(found.hits.size()) - examples;
  if (shown > 0 && rest > 0) fmt::print("  ... and {} more (--examples N)\n", rest);
}

}  // namespace

int run_data_contamination(const ContaminationOptions& options) {
  const TextFile train = read_texts(options.train, options.train_key);
  std::vector<Contamination> all;
  for (const auto& name : options.tests) {
    TextFile test = read_texts(test_set_file(name), options.test_key);
    test.name = name;
    all.push_back(compare_texts(train, test));
  }
  const bool same =
      std::any_of(all.begin(), all.end(), [](const Contamination& found) { return found.train.normalised > 0; });
  if (options.json) {
    Json sets = Json::array();
    for (const auto& found : all) sets.push_back(json_of(found, options.examples));
    print_json({{"train", options.train}, {"train_key", train.key}, {"train_rows", train.rows.size()}, {"tests", sets}});
    return same ? 1 : 0;
  }
  fmt::print("{}: {} rows, key {}\n\n", options.train, train.rows.size(), train.key);
  print_table(all);
  for (const auto& found : all) print_examples(found, options.examples);
  return same ? 1 : 0;
}

int run_data_identity(const IdentityOptions& options) {
  Json files = Json::array();
  bool any = false;
  for (const auto& file : options.files) {
    const IdentityReport report = scan_identity(file, options.key);
    any = any || !report.claims.empty();
    if (options.json) {
      Json claims = Json::array();
      for (const auto& [line, claim] : report.claims)
        claims.push_back({{"line", line}, {"vendor", claim.vendor}, {"words", claim.excerpt}});
      files.push_back(
          {{"file", file}, {"rows", report.rows}, {"rows_with_claims", report.rows_with_claims}, {"claims", claims}});
      continue;
    }
    fmt::print("{}: {} of {} rows claim to be another vendor's assistant{}{}\n", file, report.rows_with_claims, report.rows,
               report.claims.empty() ? "" : ": ", vendor_counts(report.claims));
    int64_t shown = 0;
    for (const auto& [line, claim] : report.claims) {
      if (shown++ == options.examples) break;
      fmt::print("  {:>7}  {:<12} {}\n", line, claim.vendor, one_line(claim.excerpt));
    }
    const auto rest = static_cast<int64_t>(report.claims.size()) - options.examples;
    if (rest > 0) fmt::print("  ... and {} more (--examples N)\n", rest);
  }
  if (options.json) print_json(files);
  return any ? 1 : 0;
}

}  // namespace rl
