// The folder of one evaluation, and how a stopped one goes on.
//
//   eval.json                    settings and date, written first
//   unfinished_SUITE.jsonl       a line as soon as a problem is judged, in the order in which they end; gone at the end
//   samples_SUITE_DATE.jsonl     the same lines in the order of the data
//   results_DATE.json            see eval_results.h
//   report.html                  see eval_page.h
#pragma once

#include <cstdint>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace rl {

class EvalFolder {
 public:
  // Makes the folder, or takes up the evaluation that was begun in it. `settings`: an object of all that decides a result.
  // Throws UsageError that names the differences when another evaluation is in it.
  EvalFolder(const std::string& directory, const nlohmann::ordered_json& settings);

  const std::string& directory() const { return directory_; }
  const std::string& date() const { return date_; }  // of the beginning, UTC: 2026-05-01T12-34-56.789012
  double begun() const { return begun_; }            // the same as seconds since 1970
  // The lines that are there, by doc_id. A last line that was cut off is taken away.
  std::map<int64_t, std::string> lines(const std::string& suite);
  void append(const std::string& suite, const std::string& line);  // and hands it to the system at once
  std::string samples_file(const std::string& suite) const;
  // Writes all lines of a suite in the order of their doc_id.
  void write_samples(const std::string& suite, const std::map<int64_t, std::string>& lines) const;
  void remove_unfinished(const std::vector<std::string>& suites) const;

 private:
  std::string unfinished_file(const std::string& suite) const;

  std::string directory_, date_, open_suite_;
  double begun_ = 0;
  std::ofstream open_;
};

// What differs between two objects, as "temperature is 0.6 there and 1.0 here; ..." with paths joined by dots.
std::string differences(const nlohmann::ordered_json& there, const nlohmann::ordered_json& here);

// "runs/quickstart/final" -> "quickstart", "runs/a/checkpoints/step-000120" -> "a-step-000120", "models/smollm2-135m/" ->
// "smollm2-135m".
std::string short_model_name(const std::string& model);

}  // namespace rl
