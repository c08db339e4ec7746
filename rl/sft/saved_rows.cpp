#include "rl/sft/saved_rows.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "model/files/safetensors.h"
#include "rl/rollouts/dump.h"

namespace rl {
namespace {

using Json = nlohmann::ordered_json;

Json runs_of(const std::vector<uint8_t>& trained) {
  Json runs = Json::array();
  for (size_t t = 0; t < trained.size(); ++t) {
    if (!trained[t]) continue;
    if (t == 0 || !trained[t - 1]) runs.push_back({t, 0});
    runs.back()[1] = t + 1 - runs.back()[0].get<size_t>();
  }
  return runs;
}

Json line_of(int64_t place, const Problem& problem, const SftSequence& row, const model::Tokenizer& tokenizer) {
  std::vector<int32_t> all = row.prompt;
  all.insert(all.end(), row.tokens.begin(), row.tokens.end());
  Json json{{"row", place}, {"prompt_id", problem.prompt_id}, {"line", problem.line}};
  if (!problem.dataset.empty()) json["dataset"] = problem.dataset;
  json["text"] = tokenizer.decode(all);
  json["prompt"] = row.prompt, json["tokens"] = row.tokens, json["trained"] = runs_of(row.trained);
  return json;
}

}  // namespace

void save_rows(const std::string& run_directory, const std::string& stage, int64_t step, const Dataset& data,
               const RowRange& range, const SftTokenizer& rows, const model::Tokenizer& tokenizer) {
  std::string lines;
  for (int64_t i = range.first; i < range.end; ++i) {
    const Problem problem = data.problem(i);
    const Json line = line_of(i, problem, rows.sequence(problem).value(), tokenizer);
    lines += line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  std::filesystem::create_directories(std::filesystem::path(run_directory) / "rollouts");
  model::write_file_atomically(rollout_path(run_directory, stage, step) + ".rows.jsonl", lines);
}

}  // namespace rl
