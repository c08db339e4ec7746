#include "rl/rollouts/replay_start.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace rl {
namespace {

namespace fs = std::filesystem;

// The summary counts the steps of a stage once it has ended, or is interrupted.
bool ends_stage(const nlohmann::json& state) {
  const auto steps = nlohmann::json::json_pointer(fmt::format("/summary/stages/{}/steps", state["stage"].get<int64_t>()));
  return state.contains(steps) && state[steps] == state["step"];
}

}  // namespace

std::vector<CheckpointPlace> checkpoint_places(const std::string& run_directory) {
  std::vector<CheckpointPlace> places;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(fs::path(run_directory) / "checkpoints", none)) {
    std::ifstream in(entry.path() / "trainer" / "state.json");
    const auto json = nlohmann::json::parse(in, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || !json.contains("stage") || !json["stage"].is_number_integer() || !json.contains("step") ||
        !json["step"].is_number_integer())
      continue;
    places.push_back({entry.path().string(), json["stage"], json["step"], ends_stage(json)});
  }
  std::sort(places.begin(), places.end(), [](const auto& a, const auto& b) { return a.folder < b.folder; });
  return places;
}

std::optional<ReplayStart> replay_start(const std::vector<CheckpointPlace>& places, int64_t stage, int64_t step) {
  for (const auto& p : places)
    if (p.stage == stage && p.steps == step - 1) return ReplayStart{p.folder, false};
  if (step != 1) return {};
  if (stage == 0) return ReplayStart{"", true};
  const CheckpointPlace* last = nullptr;
  for (const auto& p : places)
    if (p.stage == stage - 1 && (last == nullptr || p.steps > last->steps)) last = &p;
  if (last == nullptr || !last->ends_stage) return {};
  return ReplayStart{last->folder, true};
}

}  // namespace rl
