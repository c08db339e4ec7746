#include "rl/dump.h"

#include <fmt/core.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "model/files/safetensors.h"
#include "rollout/record_io.h"

namespace rl {

void dump_rollouts(const std::string& run_directory, const std::string& stage, int64_t step, const std::vector<Group>& groups,
                   const model::Tokenizer& tokenizer) {
  const auto directory = std::filesystem::path(run_directory) / "rollouts";
  std::filesystem::create_directories(directory);
  std::string lines;
  for (const Group& group : groups)
    for (const ScoredSample& s : group.samples) {
      auto json = rollout::record_to_json(s.record, &tokenizer);
      json["answer"] = group.problem.answer;
      json["status"] = reward::name_of(s.outcome.status);
      json["reward"] = s.outcome.has_value() ? nlohmann::ordered_json(s.outcome.value) : nlohmann::ordered_json(nullptr);
      for (const auto& [name, value] : s.outcome.components) json["components"][name] = value;
      json["extracted"] = s.outcome.extracted;
      json["detail"] = s.outcome.detail;
      lines += rollout::json_line(json) + "\n";
    }
  model::write_file_atomically((directory / fmt::format("{}-{:06d}.jsonl", stage, step)).string(), lines);
}

}  // namespace rl
