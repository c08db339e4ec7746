#include "rl/best_checkpoint.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace rl {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string best_folder(const std::string& run_directory) { return (fs::path(run_directory) / "checkpoints" / "best").string(); }

std::string best_json(const BestCheckpoint& best) { return to_json(best).dump(1) + "\n"; }

std::optional<BestCheckpoint> read_best(const std::string& run_directory) {
  std::ifstream in(fs::path(best_folder(run_directory)) / "best.json");
  const Json json = Json::parse(in, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  try {
    return best_from(json);
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

Json to_json(const BestCheckpoint& best) {
  return {{"metric", best.metric}, {"value", best.value}, {"stage", best.stage}, {"step", best.step}, {"global_step", best.global_step}};
}

BestCheckpoint best_from(const Json& json) {
  return {json.at("metric"), json.at("stage"), json.at("value"), json.at("step"), json.at("global_step")};
}

}  // namespace rl
