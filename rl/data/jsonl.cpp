#include "rl/data/jsonl.h"

#include <fmt/core.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "model/chat/chat_template.h"
#include "rl/data/json_rows.h"

namespace rl {
namespace {

std::string required(const nlohmann::ordered_json& row, const std::string& key, const char* setting, const std::string& file,
                     int64_t line, bool may_be_nested) {
  const auto found = row.find(key);
  if (found == row.end())
    kernels::fail_usage("{}:{}: has no key \"{}\"; its keys are: {}. Set {} to the right one.", file, line, key, keys_of(row),
                        setting);
  if (found->is_null() || (found->is_structured() && !may_be_nested))
    kernels::fail_usage("{}:{}: the value of \"{}\" is not text or a number. Set {} to a key that holds text.", file, line, key,
                        setting);
  return as_text(*found);
}

// The list of messages that stands for question and completion: under data.prompt_key, or under "messages" where that is missing.
const nlohmann::ordered_json* conversation_of(const nlohmann::ordered_json& row, const DataConfig& keys) {
  const auto asked = row.find(keys.prompt_key);
  if (asked != row.end()) return asked->is_array() ? &*asked : nullptr;
  const auto messages = row.find("messages");
  return messages == row.end() ? nullptr : &*messages;
}

void take_conversation(Problem& problem, const nlohmann::ordered_json& messages) {
  problem.question = asked_text(messages);
  for (const auto& message : messages)
    if (message["role"] == "assistant" && message.contains("content") && message["content"].is_string())
      problem.completion += (problem.completion.empty() ? "" : "\n") + message["content"].get<std::string>();
  problem.messages = messages.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

std::vector<Problem> read_jsonl(const std::string& file, const DataConfig& keys, int64_t limit) {
  const std::string name = keys.name.empty() ? std::filesystem::path(file).stem().string() : keys.name;
  std::vector<Problem> problems;
  for_each_row(file, [&](int64_t line, const nlohmann::ordered_json& row) {
    Problem problem;
    problem.prompt_id = static_cast<int64_t>(problems.size());
    problem.line = line;
    if (const auto* conversation = conversation_of(row, keys)) {
      model::check_messages(*conversation, fmt::format("{}:{}", file, line));
      take_conversation(problem, *conversation);
      if (const auto answer = row.find(keys.answer_key); answer != row.end()) problem.answer = as_text(*answer);
    } else {
      problem.question = required(row, keys.prompt_key, "data.prompt_key", file, line, false);
      problem.answer = required(row, keys.answer_key, "data.answer_key", file, line, true);
    }
    if (const auto found = row.find(keys.completion_key); found != row.end() && found->is_string())
      problem.completion = found->get<std::string>();
    const auto own = row.find(keys.source_key);
    problem.data_source = own != row.end() && own->is_string() ? own->get<std::string>() : name;
    nlohmann::ordered_json rest = row;
    if (!problem.messages.empty()) rest.erase("messages");
    for (const std::string& known : {keys.prompt_key, keys.answer_key, keys.completion_key, keys.source_key}) rest.erase(known);
    if (!rest.empty()) problem.extra = rest.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    problems.push_back(std::move(problem));
    return limit == 0 || static_cast<int64_t>(problems.size()) < limit;
  });
  return problems;
}

}  // namespace rl
