#include "rl/rollouts/replay_start.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "rl/run.h"

namespace rl {

namespace fs = std::filesystem;

std::vector<CheckpointPlace> checkpoint_places(const std::string& run_directory) {
  std::vector<CheckpointPlace> places;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(fs::path(run_directory) / "checkpoints", none)) {
    std::ifstream in(entry.path() / "trainer" / "state.json");
    const auto json = nlohmann::json::parse(in, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || !json.contains("stage") || !json["stage"].is_number_integer() || !json.contains("step") ||
        !json["step"].is_number_integer())
      continue;
    places.push_back({entry.path().string(), json["stage"], json["step"]});
  }
  std::sort(places.begin(), places.end(), [](const auto& a, const auto& b) { return a.folder < b.folder; });
  return places;
}

std::optional<ReplayStart> replay_start(const std::vector<CheckpointPlace>& places, const Config& config, int64_t stage, int64_t step) {
  for (const auto& p : places)
    if (p.stage == stage && p.steps == step - 1) return ReplayStart{p.folder, false};
  if (step != 1) return {};
  if (stage == 0) return ReplayStart{"", true};
  const int64_t last = steps_of(config, config.stages.at(static_cast<size_t>(stage - 1)));
  for (const auto& p : places)
    if (p.stage == stage - 1 && p.steps == last) return ReplayStart{p.folder, true};
  return {};
}

}  // namespace rl
