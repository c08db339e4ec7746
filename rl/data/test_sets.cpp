#include "rl/data/test_sets.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "kernels/error.h"
#include "rl/data/asked.h"
#include "rl/data/contamination.h"
#include "rl/data/generators.h"
#include "rl/data/jsonl.h"
#include "rl/config/nearest_name.h"
#include "rl/data/program_folder.h"

namespace rl {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_of(const std::vector<TestSet>& sets) {
  std::vector<std::string> names;
  for (const auto& set : sets) names.push_back(set.name);
  return names;
}

bool same_file(const std::string& a, const std::string& b) {
  std::error_code error;
  return a == b || fs::equivalent(a, b, error);
}

int64_t place_of(const Problem& problem) { return problem.line > 0 ? problem.line : problem.prompt_id + 1; }

// One text a problem: all that it asks.
TextFile prompts(const std::string& name, const std::vector<Problem>& problems) {
  TextFile out{name, "", {}};
  for (const auto& problem : problems) out.rows.push_back({place_of(problem), asked_of(problem)});
  return out;
}

// A test set's problem may stand anywhere in a conversation, so each question is a text of its own.
TextFile questions(const std::string& name, const std::vector<Problem>& problems) {
  TextFile out{name, "", {}};
  for (const auto& problem : problems)
    for (std::string& question : questions_in(problem)) out.rows.push_back({place_of(problem), std::move(question)});
  return out;
}

class Rule {
 public:
  Rule(const DataConfig& data, const std::vector<Problem>& training)
      : data_(data), training_(training), generated_(find_generator(data.train) != nullptr) {}

  DataFindings check() {
    const auto sets = shipped_test_sets();
    const TextFile asked = questions(data_.train, training_);
    check_allowed(sets);
    if (sets.empty())
      findings_.warnings.push_back({"data.train",
                                    "the test sets of configs/data were not found, so nothing was compared with them. "
                                    "Start ponder in its checkout."});
    bool eval_ships = false;
    for (const auto& set : sets) {
      eval_ships = eval_ships || same_file(set.file, data_.eval);
      try {
        compare(set.name, asked, read_texts(set.file, ""));
      } catch (const kernels::UsageError& failure) {
        findings_.warnings.push_back({"data.train", fmt::format("was not compared with {}: {}", set.name, failure.what())});
      }
    }
    const bool own =
        !data_.eval.empty() && !eval_ships && !same_file(data_.eval, data_.train) && find_generator(data_.eval) == nullptr;
    if (own) compare("eval", prompts(data_.train, training_), prompts(data_.eval, read_jsonl(data_.eval, data_)));
    findings_.report = fmt::format("in common with test sets: {}", fmt::join(counts_, ", "));
    return std::move(findings_);
  }

 private:
  void check_allowed(const std::vector<TestSet>& sets) {
    auto known = names_of(sets);
    known.push_back("eval");
    for (const auto& name : data_.allow_contamination) {
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      const std::string near = nearest_name(name, known);
      findings_.errors.push_back({"data.allow_contamination",
                                  fmt::format("\"{}\" names no test set.{} There are: {}.", name,
                                              near.empty() ? "" : " Did you mean " + near + "?", fmt::join(known, ", "))});
    }
  }

  void compare(const std::string& name, const TextFile& train, const TextFile& test) {
    const auto found = compare_texts(train, test, /*with_overlap=*/false);
    std::vector<int64_t> lines;
    for (const auto& hit : found.hits)
      if (hit.certain) lines.push_back(hit.train_line);
    std::sort(lines.begin(), lines.end());
    lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
    counts_.push_back(fmt::format("{} {}", name, lines.size()));
    const auto& allowed = data_.allow_contamination;
    const bool fine = lines.empty() || generated_ || std::find(allowed.begin(), allowed.end(), name) != allowed.end();
    if (fine) return;
    const size_t shown = std::min<size_t>(lines.size(), 5);
    const std::string first =
        fmt::format("{}", fmt::join(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
    findings_.errors.push_back(
        {"data.train",
         fmt::format("{} of {} problems of {} stand in the test set {} ({}): line{} {}{}. Scores on a set that was "
                     "trained on mean nothing. Remove them, or set data.allow_contamination = [\"{}\"].",
                     lines.size(), training_.size(), data_.train, name, test.name, lines.size() == 1 ? "" : "s", first,
                     shown < lines.size() ? fmt::format(" and {} more", lines.size() - shown) : "", name)});
  }

  const DataConfig& data_;
  const std::vector<Problem>& training_;
  bool generated_;
  std::vector<std::string> counts_;
  DataFindings findings_;
};

}  // namespace

std::vector<TestSet> shipped_test_sets() {
  std::vector<TestSet> sets;
  std::error_code none;
  for (const auto& folder : fs::directory_iterator(shipped_folder("data"), none)) {
    if (!folder.is_directory()) continue;
    for (const auto& entry : fs::directory_iterator(folder.path())) {
      const std::string stem = entry.path().stem().string(), extension = entry.path().extension().string();
      if ((extension != ".jsonl" && extension != ".json") || stem.rfind("train", 0) == 0 || stem.rfind("example", 0) == 0)
        continue;
      sets.push_back({folder.path().filename().string() + "/" + stem, entry.path().string()});
    }
  }
  std::sort(sets.begin(), sets.end(), [](const TestSet& a, const TestSet& b) { return a.name < b.name; });
  return sets;
}

std::string test_set_file(const std::string& name) {
  std::error_code none;
  if (fs::is_regular_file(name, none)) return name;
  const auto sets = shipped_test_sets();
  std::vector<std::string> found;
  for (const auto& set : sets)
    if (set.name == name || set.name.rfind(name + "/", 0) == 0) found.push_back(set.file);
  if (found.size() == 1) return found[0];
  kernels::fail_usage("\"{}\" is no file and names {}. The sets that ship are: {}.", name,
                      found.empty() ? "no test set" : "several test sets", fmt::join(names_of(sets), ", "));
}

DataFindings check_test_sets(const DataConfig& data, const std::vector<Problem>& training) {
  return Rule(data, training).check();
}

}  // namespace rl
