#include "rl/sampling/sampling_state.h"

#include <nlohmann/json.hpp>

namespace rl {

using Json = nlohmann::ordered_json;

// A problem is a list of five numbers: there may be many.
std::string to_json(const SamplingState& state) {
  Json sets = Json::array();
  for (const SetState& set : state.sets) {
    Json prompts = Json::array();
    for (const auto& [id, p] : set.prompts) prompts.push_back({id, p.right, p.judged, p.visits, p.dropped_in});
    sets.push_back({{"next", set.next}, {"prompts", prompts}});
  }
  return Json{{"draws", state.draws}, {"next_group", state.next_group}, {"sets", sets}}.dump();
}

SamplingState sampling_state_from(const std::string& text) {
  const Json json = Json::parse(text);
  SamplingState state;
  state.draws = json.at("draws"), state.next_group = json.at("next_group");
  for (const Json& s : json.at("sets")) {
    SetState& set = state.sets.emplace_back();
    set.next = s.at("next");
    for (const Json& p : s.at("prompts")) set.prompts[p.at(0)] = {p.at(1), p.at(2), p.at(3), p.at(4)};
  }
  return state;
}

}  // namespace rl
