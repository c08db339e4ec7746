#include "model/chat/chat_template.h"

#include <filesystem>

#include "kernels/error.h"
#include "model/chat/jinja/json_value.h"
#include "model/chat/jinja/python_text.h"
#include "model/files/json_fields.h"

namespace model {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr const char* kTag = "CONTINUE_FINAL_MESSAGE_TAG ";  // transformers': it marks where the final message ends

// reasoning_content under all its names, as in transformers.
Json with_reasoning(const Messages& messages) {
  Json out = Json::array();
  for (const auto& given : messages) {
    const Json* reasoning = nullptr;
    for (const char* key : {"reasoning_content", "thinking", "reasoning"})
      if (const auto found = given.find(key); found != given.end() && !found->is_null() && reasoning == nullptr)
        reasoning = &*found;
    if (reasoning == nullptr) {
      out.push_back(given);
      continue;
    }
    Json message = Json::object();
    message["thinking"] = *reasoning;
    for (const auto& [key, value] : given.items()) message[key] = value;
    message["reasoning_content"] = *reasoning;
    out.push_back(std::move(message));
  }
  return out;
}

// Marks the end of the final message; returns its text.
std::string mark_final(Json& messages, const std::string& name) {
  if (messages.empty()) kernels::fail_usage("{}: there is no final message to continue.", name);
  Json& content = messages.back()["content"];
  if (content.is_string()) {
    const std::string text = content.get<std::string>();
    content = text + kTag;
    return text;
  }
  if (content.is_array())
    for (auto part = content.rbegin(); part != content.rend(); ++part)
      if (part->contains("text")) {
        const std::string text = (*part)["text"].get<std::string>();
        (*part)["text"] = text + kTag;
        return text;
      }
  kernels::fail_usage("{}: the final message has no text to continue.", name);
}

void cut_at_mark(std::string& rendered, const std::string& final_text, const std::string& name) {
  const std::string tag = kTag, bare = tag.substr(0, tag.size() - 1);
  const size_t at = rendered.rfind(bare);
  if (at == std::string::npos || rendered.find(jinja::strip(final_text, true, true)) == std::string::npos)
    kernels::fail_usage(
        "{}: the final message does not stand in the rendered text, so it cannot be continued; the template changes it.", name);
  const bool keeps_space = rendered.compare(at, tag.size(), tag) == 0;
  rendered.resize(at);
  if (!keeps_space) rendered.resize(jinja::strip(rendered, false, true).size());  // the template strips its messages
}

std::tm day_of(const std::string& date) {
  std::tm t{};
  const auto number = [&](size_t from, size_t size) {
    int value = -1;
    const std::string part = date.size() == 10 ? date.substr(from, size) : "";
    if (!part.empty() && part.find_first_not_of("0123456789") == std::string::npos) value = std::stoi(part);
    return value;
  };
  const int year = number(0, 4), month = number(5, 2), day = number(8, 2);
  static constexpr int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (year < 1 || month < 1 || month > 12 || day < 1 || date[4] != '-' || date[7] != '-' ||
      day > before[month] - before[month - 1] + (month == 2 && leap))
    kernels::fail_usage("template.date: is \"{}\", which is no day. Write it as 2024-07-26.", date);
  t.tm_year = year - 1900, t.tm_mon = month - 1, t.tm_mday = day, t.tm_hour = 12;
  t.tm_yday = before[month - 1] + day - 1 + (month > 2 && leap);
  const int y = year - 1, days = 365 * y + y / 4 - y / 100 + y / 400 + t.tm_yday;  // since 1 January of year 1, a Monday
  t.tm_wday = (days + 1) % 7;
  return t;
}

}  // namespace

Messages message(const std::string& role, const std::string& content) {
  Messages m = Messages::object();
  m["role"] = role;
  m["content"] = content;
  return m;
}

void check_messages(const Json& messages, const std::string& where) {
  if (!messages.is_array() || messages.empty())
    kernels::fail_usage(
        "{}: is no conversation. It must be a list of {{\"role\": ..., \"content\": ...}}, with one message at least.", where);
  for (size_t i = 0; i < messages.size(); ++i) {
    const auto& m = messages[i];
    const auto wrong = [&](const char* what) { kernels::fail_usage("{}: message {}: {}", where, i + 1, what); };
    if (!m.is_object()) wrong("is not an object.");
    if (!m.contains("role") || !m["role"].is_string()) wrong("has no text \"role\", such as user or assistant.");
    const auto content = m.find("content");
    if (content == m.end() || content->is_null()) {
      if (!m.contains("tool_calls")) wrong("has no \"content\".");
      continue;
    }
    if (content->is_string()) continue;
    if (!content->is_array()) wrong("its \"content\" is neither text nor a list of parts.");
    for (const auto& part : *content)
      if (!part.is_object() || !part.contains("text") || !part["text"].is_string())
        wrong("a part of its \"content\" has no \"text\"; images and sound are not supported.");
  }
}

ChatTemplate::ChatTemplate(std::string source, std::string name, Json tokens)
    : source_(std::move(source)), name_(std::move(name)), tokens_(std::move(tokens)), parsed_(source_, name_) {}

jinja::Output ChatTemplate::render(const Messages& given, const RenderOptions& options) const {
  if (options.add_generation_prompt && options.continue_final_message)
    kernels::fail_usage("{}: a text ends either with a generation prompt or with an open final message, not with both.", name_);
  if (options.continue_final_message && source_.find("content") == std::string::npos)
    kernels::fail_usage("{}: the template does not name \"content\", so the final message cannot be continued.", name_);
  Json messages = with_reasoning(given);
  const std::string final_text = options.continue_final_message ? mark_final(messages, name_) : "";
  Json variables = Json::object();
  variables["messages"] = std::move(messages);
  variables["tools"] = nullptr;
  variables["documents"] = nullptr;
  variables["add_generation_prompt"] = options.add_generation_prompt;
  for (const auto& [key, value] : tokens_.items()) variables[key] = value;
  for (const auto& [key, value] : options.variables.items()) variables[key] = value;
  jinja::Value values;
  try {
    values = jinja::from_json(variables);
  } catch (const jinja::Problem& problem) {
    kernels::fail_usage("{}: the conversation: {}", name_, problem.what());
  }
  jinja::Output output = parsed_.render(values, day_of(options.date), options.spans);
  if (options.continue_final_message) cut_at_mark(output.text, final_text, name_);
  return output;
}

namespace {

// {"content": "<s>", ...} or "<s>"
Json tokens_of(const nlohmann::json& config) {
  Json tokens = Json::object();
  for (const char* key : {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}) {
    const auto found = config.find(key);
    if (found == config.end()) continue;
    if (found->is_string()) tokens[key] = found->get<std::string>();
    else if (found->is_object() && found->contains("content") && (*found)["content"].is_string())
      tokens[key] = (*found)["content"].get<std::string>();
  }
  return tokens;
}

std::string named_template(const nlohmann::json& list, const std::string& name, const std::string& file) {
  std::string known;
  for (const auto& entry : list) {
    if (!entry.is_object() || !entry.contains("name") || !entry.contains("template") || !entry["name"].is_string() ||
        !entry["template"].is_string())
      kernels::fail_usage("{}: chat_template: an entry of the list has no text \"name\" and \"template\".", file);
    if (entry["name"] == (name.empty() ? "default" : name)) return entry["template"].get<std::string>();
    known += (known.empty() ? "" : ", ") + entry["name"].get<std::string>();
  }
  if (name.empty())
    kernels::fail_usage("{}: has several chat templates and none is called default. Choose one, as model:NAME: {}.", file, known);
  kernels::fail_usage("{}: has no chat template called \"{}\"; it has: {}.", file, name, known);
}

}  // namespace

std::shared_ptr<const ChatTemplate> ChatTemplate::from_directory(const std::string& directory, const std::string& name) {
  const auto path = [&](const char* file) { return (fs::path(directory) / file).string(); };
  const auto json = [&](const char* file) {
    if (!fs::exists(path(file))) return nlohmann::json::object();
    auto parsed = parse_json(read_text_file(path(file)), path(file));
    if (!parsed.is_object()) kernels::fail_usage("{}: is no JSON object.", path(file));
    return parsed;
  };
  const nlohmann::json config = json("tokenizer_config.json");
  const Json tokens = tokens_of(config);
  if (!name.empty() && name != "default") {
    const std::string file = "chat_templates/" + name + ".jinja";
    if (name.find('/') == std::string::npos && fs::exists(path(file.c_str())))
      return std::make_shared<const ChatTemplate>(read_text_file(path(file.c_str())), path(file.c_str()), tokens);
  } else if (fs::exists(path("chat_template.jinja"))) {
    return std::make_shared<const ChatTemplate>(read_text_file(path("chat_template.jinja")), path("chat_template.jinja"), tokens);
  }
  for (const char* file : {"tokenizer_config.json", "chat_template.json"}) {
    const nlohmann::json holder = file == std::string("tokenizer_config.json") ? config : json(file);
    const auto found = holder.find("chat_template");
    if (found == holder.end() || found->is_null()) continue;
    const std::string place = path(file) + ": chat_template";
    if (found->is_array()) return std::make_shared<const ChatTemplate>(named_template(*found, name, path(file)), place, tokens);
    if (!found->is_string()) kernels::fail_usage("{}: is neither text nor a list of named templates.", place);
    if (!name.empty() && name != "default") kernels::fail_usage("{}: is one template; there is none called \"{}\".", place, name);
    return std::make_shared<const ChatTemplate>(found->get<std::string>(), place, tokens);
  }
  if (!name.empty()) kernels::fail_usage("{}: the folder has no chat template, so none called \"{}\".", directory, name);
  return nullptr;
}

}  // namespace model
