#include "rl/sampling/sampling_state.h"

#include <nlohmann/json.hpp>

namespace rl {

using Json = nlohmann::ordered_json;

std::string to_json(const SamplingState& state) {
  return Json{{"next_problem", state.next_problem}, {"next_group", state.next_group}}.dump();
}

SamplingState sampling_state_from(const std::string& text) {
  const Json json = Json::parse(text);
  SamplingState state;
  state.next_problem = json.at("next_problem"), state.next_group = json.at("next_group");
  return state;
}

}  // namespace rl
