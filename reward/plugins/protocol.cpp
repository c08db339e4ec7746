#include "reward/plugins/protocol.h"

#include <fmt/core.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "reward/item_reward.h"
#include "reward/outside_json.h"

namespace reward::protocol {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t most_text = 1000;  // of an extracted answer or a detail

std::string line(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// Unique in its request, and the same when a request is sent again.
std::string uid_of(const Item& item, size_t place) {
  return fmt::format("{}-{}-{}", item.group_id, item.sample_index, place);
}

Json item_json(const Item& item, size_t place) {
  Json extra = item.extra.empty() ? Json::object() : parse_outside<Json>(item.extra);
  if (!extra.is_object()) extra = Json::object();
  return {{"uid", uid_of(item, place)},
          {"prompt", item.prompt},
          {"completion", item.completion},
          {"completion_tokens", item.completion_tokens},
          {"finish_reason", item.truncated ? "length" : "stop"},
          {"truth", item.answer},
          {"data_source", item.data_source},
          {"group", item.group_id},
          {"extra", extra}};
}

// An object of the wanted type.
Json parse(const std::string& text, const std::string& type) {
  Json json = parse_outside<Json>(text);
  if (!json.is_object()) throw Violation("junk", fmt::format("answered with what is not a JSON object: {}", shown(text)));
  const auto found = json.find("type");
  if (found == json.end() || *found != type)
    throw Violation("wrong_type", fmt::format("answered with {}, but its \"type\" must be \"{}\"", shown(text), type));
  return json;
}

void check_id(const Json& json, int64_t id) {
  const auto found = json.find("id");
  if (found == json.end() || !found->is_number_integer() || found->get<int64_t>() != id)
    throw Violation("wrong_id", fmt::format("answered request {} with another id or none", id));
}

std::string text_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return "";
  return (found->is_string() ? found->get<std::string>() : line(*found)).substr(0, most_text);
}

bool flag(const Json& json, const char* key, bool fallback) {
  const auto found = json.find(key);
  if (found == json.end()) return fallback;
  if (!found->is_boolean())
    throw Violation("wrong_type", fmt::format("its hello has {} for \"{}\"; it must be true or false", shown(line(*found)), key));
  return found->get<bool>();
}

Outcome outcome_of(const Json& result) {
  const std::string status = result.contains("status") ? text_of(result, "status") : "ok";
  Outcome outcome;
  outcome.detail = text_of(result, "detail");
  outcome.extracted = text_of(result, "extracted");
  if (status == "skip" || status == "error") {
    outcome.status = status == "skip" ? Status::not_applicable : Status::infra_error;
    outcome.reason = status == "skip" ? "skipped" : "plugin_error";
    return outcome;
  }
  if (status != "ok")
    return unscored(Status::infra_error, fmt::format("its status is \"{}\"; it must be ok, skip or error", shown(status)),
                    "wrong_status");
  const auto score = result.find("score");
  if (score == result.end() || !score->is_number() || !std::isfinite(score->get<double>()))
    return unscored(Status::infra_error,
                    score == result.end() ? "it has no score" : "its score is no finite number: " + shown(line(*score)),
                    "not_finite");
  outcome.value = score->get<double>();
  outcome.reason = "scored";
  if (const auto parts = result.find("components"); parts != result.end() && parts->is_object())
    for (const auto& [name, value] : parts->items())
      if (value.is_number() && std::isfinite(value.get<double>())) outcome.components.emplace_back(name, value.get<double>());
  return outcome;
}

}  // namespace

std::string shown(const std::string& text) {
  std::string out;
  for (const char c : text.substr(0, 200)) out += c >= ' ' && c <= '~' ? c : '?';
  return text.size() > 200 ? out + "..." : out;
}

std::string hello_request(const std::vector<std::pair<std::string, std::string>>& config) {
  Json json{{"type", "hello"}, {"protocol", number}, {"config", Json::object()}};
  for (const auto& [key, text] : config) json["config"][key] = text;
  return line(json);
}

std::string score_request(int64_t id, int64_t deadline_ms, const std::vector<Item>& items) {
  Json json{{"type", "score"}, {"id", id}, {"deadline_ms", deadline_ms}, {"items", Json::array()}};
  for (size_t i = 0; i < items.size(); ++i) json["items"].push_back(item_json(items[i], i));
  return line(json);
}

std::string ping_request(int64_t id) { return line({{"type", "ping"}, {"id", id}}); }
std::string shutdown_request() { return line({{"type", "shutdown"}}); }

Hello read_hello(const std::string& text) {
  const Json json = parse(text, "hello");
  Hello hello;
  const auto protocol = json.find("protocol");
  if (protocol == json.end() || *protocol != number)
    throw Violation("wrong_protocol", fmt::format("speaks protocol {}, but this program speaks {}",
                                                  protocol == json.end() ? "(none named)" : shown(line(*protocol)), number));
  hello.name = text_of(json, "name");
  if (hello.name.empty()) throw Violation("wrong_type", "its hello has no \"name\"");
  hello.version = text_of(json, "version");
  const auto found = json.find("capabilities");
  if (found == json.end()) return hello;
  if (!found->is_object()) throw Violation("wrong_type", "its hello's \"capabilities\" is not an object");
  hello.batch = flag(*found, "batch", true);
  hello.group = flag(*found, "group", false);
  if (const auto most = found->find("max_batch"); most != found->end()) {
    if (!most->is_number_integer() || most->get<int64_t>() < 1)
      throw Violation("wrong_type", fmt::format("its hello has {} for \"max_batch\"; it must be 1 or more", shown(line(*most))));
    hello.max_batch = most->get<int64_t>();
  }
  return hello;
}

void read_pong(const std::string& text, int64_t id) { check_id(parse(text, "pong"), id); }

std::vector<Outcome> read_results(const std::string& text, int64_t id, const std::vector<Item>& items) {
  const Json json = parse(text, "result");
  check_id(json, id);
  const auto results = json.find("results");
  if (results == json.end() || !results->is_array()) throw Violation("wrong_type", "its \"results\" is not a list");
  if (results->size() != items.size())
    throw Violation("wrong_count", fmt::format("gave {} results for {} items", results->size(), items.size()));
  std::vector<Outcome> outcomes;
  for (size_t i = 0; i < items.size(); ++i) {
    const Json& result = (*results)[i];
    if (!result.is_object()) throw Violation("wrong_type", fmt::format("result {} is not an object", i));
    const std::string uid = text_of(result, "uid");
    if (uid != uid_of(items[i], i))
      throw Violation("wrong_uid", fmt::format("result {} has uid \"{}\", but item {} is \"{}\"; keep their order",
                                               i, shown(uid), i, uid_of(items[i], i)));
    outcomes.push_back(outcome_of(result));
  }
  return outcomes;
}

Request read_request(const std::string& text) {
  const Json json = parse_outside<Json>(text);
  if (!json.is_object()) throw Violation("junk", fmt::format("not a JSON object: {}", shown(text)));
  Request request;
  try {
    request.type = json.value("type", "");
    request.id = json.value("id", int64_t{0});
    request.deadline_ms = json.value("deadline_ms", int64_t{0});
    if (json.contains("config"))
      for (const auto& [key, value] : json["config"].items()) request.config.emplace_back(key, value.get<std::string>());
    if (request.type != "score") return request;
    for (const Json& item : json.at("items")) {
      Item own;
      request.uids.push_back(item.at("uid").get<std::string>());
      own.prompt = item.value("prompt", "");
      own.completion = item.at("completion");
      own.completion_tokens = item.value("completion_tokens", int64_t{0});
      own.truncated = item.value("finish_reason", "stop") == "length";
      own.answer = item.value("truth", "");
      own.data_source = item.value("data_source", "");
      own.group_id = item.value("group", int64_t{0});
      own.extra = item.contains("extra") ? line(item["extra"]) : "";
      request.items.push_back(std::move(own));
    }
  } catch (const nlohmann::json::exception& error) {
    throw Violation("wrong_type", error.what());
  }
  return request;
}

std::string hello_reply(const Hello& hello) {
  return line({{"type", "hello"},
               {"protocol", number},
               {"name", hello.name},
               {"version", hello.version},
               {"capabilities", {{"batch", hello.batch}, {"group", hello.group}, {"max_batch", hello.max_batch}}}});
}

std::string pong_reply(int64_t id) { return line({{"type", "pong"}, {"id", id}}); }

std::string result_reply(const Request& request, const std::vector<Outcome>& outcomes) {
  Json json{{"type", "result"}, {"id", request.id}, {"results", Json::array()}};
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const Outcome& outcome = outcomes[i];
    Json result{{"uid", request.uids.at(i)}};
    if (outcome.has_value()) result["score"] = outcome.value;
    result["status"] = outcome.has_value() ? "ok" : outcome.status == Status::not_applicable ? "skip" : "error";
    for (const auto& [name, value] : outcome.components) result["components"][name] = value;
    if (!outcome.extracted.empty()) result["extracted"] = outcome.extracted;
    if (!outcome.detail.empty()) result["detail"] = outcome.detail;
    json["results"].push_back(std::move(result));
  }
  return line(json);
}

}  // namespace reward::protocol
