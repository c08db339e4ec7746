// Conversations -> text, by a model's own template or a built-in one.
//
// A template comes from the model's folder: chat_template.jinja, else `chat_template` of tokenizer_config.json (a text, or a list
// of named ones), else chat_template.json. It runs in model/chat/jinja, which gives what transformers' apply_chat_template gives.
// Built-in styles:
//
//   plain        the question as it is
//   r1-zero      the template of DeepSeek-R1 (arXiv:2501.12948, Table 1): a conversation between User and Assistant, who
//                thinks in <think> </think> and answers in <answer> </answer>
//   chatml       <|im_start|>user\n...<|im_end|>\n<|im_start|>assistant\n (Qwen, SmolLM2)
//   llama3       <|start_header_id|>user<|end_header_id|>\n\n...<|eot_id|> (Llama 3)
//   deepseek-r1  <｜User｜>...<｜Assistant｜><think>\n (DeepSeek-R1 and its distilled models)
//   model        the folder's own; model:NAME is one of a list
//   auto         the folder's own if it has one, else a fallback that the caller names
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/chat/jinja/template.h"

namespace model {

class Tokenizer;

// A message is an object with `role` and `content` (text, or a list of parts {"type": "text", "text": ...}); other keys, such as
// reasoning_content, go to the template as they are. reasoning_content also fills `thinking`, and is filled from `thinking` or
// `reasoning`, as in transformers.
using Messages = nlohmann::ordered_json;

Messages message(const std::string& role, const std::string& content);
// Throws UsageError, with `where` before it, when the value is no list of messages.
void check_messages(const nlohmann::ordered_json& messages, const std::string& where);

struct RenderOptions {
  bool add_generation_prompt = false;   // the text ends where the assistant begins to speak
  bool continue_final_message = false;  // the text ends with the last message's content, open
  bool spans = false;                   // find the text of {% generation %}
  nlohmann::ordered_json variables = nlohmann::ordered_json::object();  // more for the template, such as enable_thinking
  std::string date = "2024-07-26";      // what strftime_now shows: a run must not change with the day
};

class ChatTemplate {
 public:
  // `name`: for errors. `tokens`: an object, bos_token, eos_token and the like. Throws UsageError "name:line: ...".
  ChatTemplate(std::string source, std::string name, nlohmann::ordered_json tokens = nlohmann::ordered_json::object());

  // The folder's own, or the one called `name` of its list. nullptr when it has none. Throws UsageError for a name that is not
  // there (with those that are), and for files that cannot be read.
  static std::shared_ptr<const ChatTemplate> from_directory(const std::string& directory, const std::string& name = "");

  // Throws UsageError: the template refuses the conversation, both options that end the text are on, or the final message is not
  // in the text. `tools` and `documents` are none. Thread-safe.
  jinja::Output render(const Messages& messages, const RenderOptions& options) const;

  const std::string& source() const { return source_; }
  const std::string& name() const { return name_; }
  bool has_generation() const { return parsed_.has_generation(); }

 private:
  std::string source_, name_;
  nlohmann::ordered_json tokens_;
  jinja::Template parsed_;
};

// How questions become prompts: [template] of the settings.
struct TemplateConfig {
  std::string style = "auto";
  std::string system;                // the system message; empty: the template's own, if any
  std::string prefill;               // put at the start of the assistant's turn, e.g. "<think>"
  std::vector<std::string> options;  // KEY=VALUE for the template, such as enable_thinking=false; VALUE is JSON or text
  std::string date = "2024-07-26";
  std::shared_ptr<const ChatTemplate> chat;  // set by resolve_template; null for plain and r1-zero
};

std::vector<std::string> template_styles();
// Empty, or what is wrong with a style's name, with the nearest known one.
std::string unknown_style(const std::string& style);

// Settles the style and loads its template. `directory` empty: the model has no folder. Throws UsageError: an unknown style, or
// model without a template.
void resolve_template(TemplateConfig& config, const std::string& directory, const std::string& fallback);
// One line for people: which template is used and why.
std::string describe_template(const TemplateConfig& config);

// The prompt of one question. Throws UsageError.
std::string render_prompt(const TemplateConfig& config, const std::string& question);
// The same of a whole conversation, which the assistant is to go on with. plain and r1-zero take a single user's message alone.
std::string render_prompt_of(const TemplateConfig& config, const Messages& messages);
// Empty, or why this tokenizer cannot carry the style (chatml without <|im_start|>, plain text outside the alphabet), or why the
// template cannot ask a question.
std::string template_mismatch(const TemplateConfig& config, const Tokenizer& tokenizer);

// What other tools need to ask as this model was trained: the template's text byte for byte, and with a system message or a
// prefill of its own, that in Jinja around it. Empty for plain and r1-zero, which are no chat.
std::string chat_template_of(const TemplateConfig& config);

// A conversation to learn from: its text, and the parts that the assistant says, with what ends each turn.
struct TrainText {
  std::string text;
  std::vector<jinja::Span> trained;  // bytes, in order
};
// By the template's {% generation %}; without it by prefixes: the text up to an assistant's turn, with the generation prompt, must
// begin the text with that turn. Throws UsageError when it does not, when no turn is the assistant's, and for plain and r1-zero.
// The prefill is not used; the system message is put before a conversation that has none.
TrainText train_text(const TemplateConfig& config, const Messages& messages);

}  // namespace model
