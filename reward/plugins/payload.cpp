#include "reward/plugins/payload.h"

#include <fmt/core.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "reward/item_reward.h"
#include "reward/outside_json.h"
#include "reward/plugins/protocol.h"

namespace reward {
namespace {

using Json = nlohmann::ordered_json;

std::string text(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Outcome outcome_of(const Json& score) {
  if (score.is_number() && std::isfinite(score.get<double>())) return scored(score.get<double>(), "", "scored");
  return unscored(Status::infra_error, fmt::format("its score is {}; it must be a finite number", protocol::shown(text(score))),
                  "not_finite");
}

Json parse(const std::string& body) {
  Json json = parse_outside<Json>(body);
  if (json.is_discarded())
    throw protocol::Violation("junk", fmt::format("answered with what is not JSON: {}", protocol::shown(body)));
  return json;
}

std::vector<Outcome> read_openrlhf(const std::string& body, size_t count) {
  const Json json = parse(body);
  const auto rewards = json.is_object() ? json.find("rewards") : json.end();
  if (!json.is_object() || rewards == json.end() || !rewards->is_array())
    throw protocol::Violation("wrong_type", fmt::format("answered with {}, which has no list \"rewards\"",
                                                        protocol::shown(body)));
  if (rewards->size() != count)
    throw protocol::Violation("wrong_count", fmt::format("gave {} rewards for {} items", rewards->size(), count));
  std::vector<Outcome> outcomes;
  for (const Json& score : *rewards) outcomes.push_back(outcome_of(score));
  return outcomes;
}

std::vector<Outcome> read_slime(const std::string& body) {
  const Json json = parse(body);
  if (!json.is_object()) return {outcome_of(json)};
  for (const char* key : {"score", "reward"})
    if (const auto found = json.find(key); found != json.end()) return {outcome_of(*found)};
  throw protocol::Violation("wrong_type", fmt::format("answered with {}, which has neither \"score\" nor \"reward\"",
                                                      protocol::shown(body)));
}

}  // namespace

std::string body_of(Payload payload, const std::vector<Item>& items, int64_t id, int64_t deadline_ms) {
  if (payload == Payload::ponder) return protocol::score_request(id, deadline_ms, items);
  if (payload == Payload::slime) {
    const Item& item = items.at(0);
    return text({{"prompt", item.prompt}, {"response", item.completion}, {"label", item.answer}});
  }
  Json json{{"query", Json::array()}, {"prompts", Json::array()}, {"labels", Json::array()}};
  for (const Item& item : items) {
    json["query"].push_back(item.prompt + item.completion);
    json["prompts"].push_back(item.prompt);
    json["labels"].push_back(item.answer);
  }
  return text(json);
}

std::vector<Outcome> read_body(Payload payload, const std::string& body, const std::vector<Item>& items, int64_t id) {
  switch (payload) {
    case Payload::ponder: return protocol::read_results(body, id, items);
    case Payload::openrlhf: return read_openrlhf(body, items.size());
    case Payload::slime: return read_slime(body);
  }
  return {};
}

}  // namespace reward
