#include "rl/rollouts/dump.h"

#include <fmt/core.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <unordered_map>

#include "kernels/watchdog.h"
#include "model/files/safetensors.h"
#include "rollout/record_io.h"

namespace rl {
namespace {

using Json = nlohmann::ordered_json;

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

// Of its tokens, where they differ: their mean.
double advantage_of(const TrainSequence& s) {
  if (s.advantages.empty()) return s.advantage;
  return std::accumulate(s.advantages.begin(), s.advantages.end(), 0.0) / static_cast<double>(s.advantages.size());
}

Json line_of(const Group& group, const ScoredSample& s, double advantage, const model::Tokenizer& tokenizer) {
  Json json = rollout::record_to_json(s.record, &tokenizer);
  json["answer"] = group.problem.answer;
  json["data_source"] = group.problem.data_source;
  if (!group.problem.dataset.empty()) json["dataset"] = group.problem.dataset;
  if (!group.problem.extra.empty()) json["extra"] = group.problem.extra;
  json["text"] = s.text;
  json["status"] = reward::name_of(s.outcome.status);
  json["reward"] = s.outcome.has_value() ? Json(s.outcome.value) : Json(nullptr);
  for (const auto& [name, value] : s.outcome.components) json["components"][name] = value;
  if (group.left_out) json["left_out"] = true;
  json["advantage"] = number_or_null(advantage);
  json["extracted"] = s.outcome.extracted;
  json["reason"] = s.outcome.reason;
  json["detail"] = s.outcome.detail;
  return json;
}

}  // namespace

Advantages advantages_of(const std::vector<Group>& groups, const std::vector<TrainGroup>& trained) {
  std::unordered_map<int64_t, const TrainGroup*> by_id;
  for (const TrainGroup& group : trained) by_id[group.group_id] = &group;
  Advantages all;
  for (const Group& group : groups) {
    auto& own = all.emplace_back(group.samples.size(), std::numeric_limits<double>::quiet_NaN());
    const auto found = by_id.find(group.samples.at(0).record.group_id);
    if (found == by_id.end()) continue;
    for (const TrainSequence& s : found->second->sequences) own.at(static_cast<size_t>(s.sample)) = advantage_of(s);
  }
  return all;
}

std::string rollout_path(const std::string& run_directory, const std::string& stage, int64_t step) {
  return (std::filesystem::path(run_directory) / "rollouts" / fmt::format("{}-{:06d}", stage, step)).string();
}

void dump_rollouts(const std::string& run_directory, const std::string& stage, int64_t step, const std::vector<Group>& groups,
                   const Advantages& advantages, const model::Tokenizer& tokenizer) {
  const kernels::Wait wait("a step's samples to be written");
  std::filesystem::create_directories(std::filesystem::path(run_directory) / "rollouts");
  std::string lines, records;
  for (size_t g = 0; g < groups.size(); ++g)
    for (size_t i = 0; i < groups[g].samples.size(); ++i) {
      lines += rollout::json_line(line_of(groups[g], groups[g].samples[i], advantages.at(g).at(i), tokenizer)) + "\n";
      rollout::append_record(groups[g].samples[i].record, records);
    }
  const std::string path = rollout_path(run_directory, stage, step);
  model::write_file_atomically(path + ".records", records);
  model::write_file_atomically(path + ".jsonl", lines);
}

}  // namespace rl
