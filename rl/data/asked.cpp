#include "rl/data/asked.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace rl {
namespace {

using Json = nlohmann::ordered_json;

std::string role_of(const Json& message) {
  const auto role = message.is_object() ? message.find("role") : message.end();
  return role != message.end() && role->is_string() ? role->get<std::string>() : "";
}

std::string turn_text(const Json& message) {
  std::string text = said_in(message);
  if (const auto calls = message.find("tool_calls"); calls != message.end())
    text += calls->dump(-1, ' ', false, Json::error_handler_t::replace);
  return text;
}

// The first `end` messages. A question asked alone is its bare text, so that it equals the same one of a row without messages.
std::string conversation_text(const Json& messages, size_t end, bool with_system) {
  std::vector<const Json*> turns;
  for (size_t i = 0; i < end; ++i)
    if (with_system || role_of(messages[i]) != "system") turns.push_back(&messages[i]);
  if (turns.size() == 1 && role_of(*turns[0]) == "user") return turn_text(*turns[0]);
  std::string text;
  for (const Json* turn : turns) text += fmt::format("{}: {}\n", role_of(*turn), turn_text(*turn));
  return text;
}

size_t without_answer(const Json& messages) {
  return messages.size() - (!messages.empty() && role_of(messages.back()) == "assistant");
}

}  // namespace

std::string said_in(const Json& message) {
  const auto content = message.find("content");
  if (content == message.end()) return "";
  if (content->is_string()) return content->get<std::string>();
  std::string text;
  if (content->is_array())
    for (const Json& part : *content)
      if (part.is_object() && part.contains("text") && part["text"].is_string()) text += part["text"].get<std::string>();
  return text;
}

std::string asked_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array() || !std::all_of(value.begin(), value.end(), [](const Json& m) { return m.is_object(); })) return "";
  return conversation_text(value, without_answer(value), /*with_system=*/false);
}

std::string asked_of(const Problem& problem) {
  if (problem.messages.empty()) return problem.question;
  const Json messages = Json::parse(problem.messages);
  const size_t end = problem.prompt_messages > 0 ? static_cast<size_t>(problem.prompt_messages) : without_answer(messages);
  return conversation_text(messages, end, /*with_system=*/true);
}

std::vector<std::string> questions_in(const Problem& problem) {
  if (problem.messages.empty()) return {problem.question};
  std::vector<std::string> texts;
  for (const Json& message : Json::parse(problem.messages))
    if (role_of(message) == "user") texts.push_back(said_in(message));
  return texts;
}

}  // namespace rl
