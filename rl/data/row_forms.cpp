#include "rl/data/row_forms.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "model/chat/chat_template.h"
#include "rl/data/asked.h"
#include "rl/data/json_rows.h"

namespace rl {
namespace {

using Json = nlohmann::ordered_json;

class RowReader {
 public:
  RowReader(Problem& problem, const Json& row, const DataConfig& keys, const std::string& where)
      : problem_(problem), row_(row), keys_(keys), where_(where) {}

  std::set<std::string> read() {
    const std::string form = form_of_row();
    if (form == "messages") take_conversation(conversation_key());
    else if (form == "instruction") take_instruction();
    else take_prompt(row_.contains(keys_.prompt_key) || form.empty() ? keys_.prompt_key : "prompt");
    take_answer();
    return std::move(used_);
  }

 private:
  // Empty: none of them, and the missing prompt will say so.
  std::string form_of_row() const {
    if (keys_.format != "auto") return keys_.format;
    if (row_.contains(keys_.prompt_key)) return form_of_prompt(keys_.prompt_key);
    if (row_.contains("messages")) return "messages";
    if (row_.contains("prompt")) return form_of_prompt("prompt");
    return row_.contains("instruction") ? "instruction" : "";
  }

  // A list of messages with a list behind it is a prompt and its completion; alone, or with a text, it is one conversation.
  std::string form_of_prompt(const std::string& key) const { return has_list(key) && !has_list(keys_.completion_key) ? "messages" : "prompt"; }

  std::string conversation_key() const {
    if (row_.contains(keys_.prompt_key)) return keys_.prompt_key;
    return !row_.contains("messages") && has_list("prompt") ? "prompt" : "messages";
  }

  bool has_list(const std::string& key) const { return row_.contains(key) && row_.at(key).is_array(); }

  const Json& required(const std::string& key, const char* setting) {
    const auto found = row_.find(key);
    if (found == row_.end())
      kernels::fail_usage("{}: has no key \"{}\"; its keys are: {}. Set {} to the right one. A row may also hold \"messages\", \"prompt\" "
                          "and \"completion\", or \"instruction\" and \"output\" (data.format).", where_, key, keys_of(row_), setting);
    used_.insert(key);
    return *found;
  }

  std::string text(const std::string& key, const char* setting, bool may_be_nested = false) {
    const Json& value = required(key, setting);
    if (value.is_null() || (value.is_structured() && !may_be_nested))
      kernels::fail_usage("{}: the value of \"{}\" is not text or a number. Set {} to a key that holds text.", where_, key, setting);
    return as_text(value);
  }

  const Json& messages(const std::string& key, const char* setting) {
    const Json& list = required(key, setting);
    model::check_messages(list, where_);
    return list;
  }

  // What the assistant says of messages from `first` on becomes the completion.
  void set_messages(const Json& all, size_t first) {
    for (size_t i = first; i < all.size(); ++i)
      if (all[i]["role"] == "assistant") problem_.completion += (problem_.completion.empty() ? "" : "\n") + said_in(all[i]);
    problem_.messages = all.dump(-1, ' ', false, Json::error_handler_t::replace);
    problem_.prompt_messages = static_cast<int64_t>(first);
  }

  void set_completion(std::string text) {
    problem_.blank_completion = text.empty();
    problem_.completion = std::move(text);
  }

  static std::string first_question(const Json& messages) {
    for (const Json& message : messages)
      if (message["role"] == "user") return said_in(message);
    return "";
  }

  void take_conversation(const std::string& key) {
    Json list = messages(key, "data.prompt_key");
    const auto own = row_.find(keys_.completion_key);
    const bool answered = own != row_.end() && own->is_string();
    const size_t asked = list.size();
    const bool open = answered && !list.empty() && list.back()["role"] != "assistant";
    if (open) list.push_back(model::message("assistant", own->get<std::string>()));
    problem_.question = first_question(list);
    set_messages(list, open ? asked : 0);
    if (!answered) return;
    set_completion(own->get<std::string>());
    used_.insert(keys_.completion_key);
  }

  void take_prompt(const std::string& key) {
    if (row_.contains(key) && row_.at(key).is_array() && has_list(keys_.completion_key)) {
      Json all = messages(key, "data.prompt_key");
      const size_t asked = all.size();
      problem_.question = first_question(all);
      for (const auto& message : messages(keys_.completion_key, "data.completion_key")) all.push_back(message);
      return set_messages(all, asked);
    }
    problem_.question = text(key, "data.prompt_key");
    if (const auto found = row_.find(keys_.completion_key); found != row_.end() && found->is_string()) {
      set_completion(found->get<std::string>());
      used_.insert(keys_.completion_key);
    }
  }

  void take_instruction() {
    const std::string instruction = text("instruction", "data.format"), output = text("output", "data.format");
    std::string input;
    if (row_.contains("input") && !row_["input"].is_null()) input = text("input", "data.format");
    problem_.question = fill_instruction(input.empty() ? keys_.instruction_prompt_no_input : keys_.instruction_prompt, instruction, input);
    set_completion(output);
  }

  void take_answer() {
    const bool needed = problem_.completion.empty() && !problem_.blank_completion && problem_.messages.empty();
    const auto found = row_.find(keys_.answer_key);
    if (!needed && (found == row_.end() || found->is_null())) return;
    problem_.answer = text(keys_.answer_key, "data.answer_key", /*may_be_nested=*/true);
  }

  Problem& problem_;
  const Json& row_;
  const DataConfig& keys_;
  const std::string& where_;
  std::set<std::string> used_;
};

}  // namespace

std::set<std::string> take_row(Problem& problem, const Json& row, const DataConfig& keys, const std::string& where) {
  return RowReader(problem, row, keys, where).read();
}

std::string fill_instruction(const std::string& text, const std::string& instruction, const std::string& input) {
  const std::string names[] = {"{instruction}", "{input}"};
  std::string out;
  for (size_t at = 0; at < text.size();) {
    bool filled = false;
    for (size_t i = 0; i < 2 && !filled; ++i)
      if (text.compare(at, names[i].size(), names[i]) == 0) {
        out += i == 0 ? instruction : input;
        at += names[i].size();
        filled = true;
      }
    if (!filled) out += text[at++];
  }
  return out;
}

}  // namespace rl
