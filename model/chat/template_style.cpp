// [template]: styles by name, prompts, and what is saved of them.
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "kernels/error.h"
#include "model/chat/builtin_templates.h"
#include "model/chat/jinja/python_text.h"
#include "model/tokenizer/tokenizer.h"

namespace model {
namespace {

int64_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<int64_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 0; i < a.size(); ++i) {
    int64_t diagonal = row[0]++;
    for (size_t j = 0; j < b.size(); ++j) {
      const int64_t replaced = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

bool is_model(const std::string& style) { return style == "model" || style.starts_with("model:"); }

nlohmann::ordered_json variables_of(const std::vector<std::string>& options) {
  auto variables = nlohmann::ordered_json::object();
  for (const std::string& option : options) {
    const size_t equals = option.find('=');
    if (equals == std::string::npos || equals == 0)
      kernels::fail_usage("template.options: \"{}\" is not KEY=VALUE, such as enable_thinking=false.", option);
    const std::string text = option.substr(equals + 1);
    auto value = nlohmann::ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
    variables[option.substr(0, equals)] = value.is_discarded() ? nlohmann::ordered_json(text) : value;
  }
  return variables;
}

RenderOptions render_options(const TemplateConfig& config) {
  RenderOptions options;
  options.variables = variables_of(config.options);
  options.date = config.date;
  return options;
}

Messages with_system(const TemplateConfig& config, Messages messages) {
  if (config.system.empty() || (!messages.empty() && messages[0].value("role", "") == "system")) return messages;
  messages.insert(messages.begin(), message("system", config.system));
  return messages;
}

const ChatTemplate& chat_of(const TemplateConfig& config, std::shared_ptr<const ChatTemplate>& holder) {
  holder = config.chat != nullptr ? config.chat : builtin_template(config.style);
  if (holder == nullptr) {
    if (const std::string wrong = unknown_style(config.style); !wrong.empty()) kernels::fail_usage("template.style: {}", wrong);
    kernels::fail("template.style {} was not resolved", config.style);
  }
  return *holder;
}

}  // namespace

std::vector<std::string> template_styles() { return {"auto", "model", "plain", "r1-zero", "chatml", "llama3", "deepseek-r1"}; }

std::string unknown_style(const std::string& style) {
  const auto styles = template_styles();
  if (is_model(style) || std::find(styles.begin(), styles.end(), style) != styles.end()) return "";
  const auto nearest = std::min_element(styles.begin(), styles.end(), [&](const auto& a, const auto& b) {
    return edit_distance(style, a) < edit_distance(style, b);
  });
  return fmt::format("is \"{}\", which is unknown. Did you mean {}? Known: {}, and model:NAME.", style, *nearest,
                     fmt::join(styles, ", "));
}

void resolve_template(TemplateConfig& config, const std::string& directory, const std::string& fallback) {
  if (const std::string wrong = unknown_style(config.style); !wrong.empty()) kernels::fail_usage("template.style: {}", wrong);
  if (config.style == "auto") {
    config.chat = directory.empty() ? nullptr : ChatTemplate::from_directory(directory);
    config.style = config.chat != nullptr ? "model" : fallback;
  }
  if (!is_model(config.style)) {
    config.chat = builtin_template(config.style);
    return;
  }
  if (config.chat == nullptr && !directory.empty())
    config.chat = ChatTemplate::from_directory(directory, config.style.size() > 6 ? config.style.substr(6) : "");
  if (config.chat == nullptr)
    kernels::fail_usage("template.style: is {}, but {} has no chat template. Choose one of {}.", config.style,
                        directory.empty() ? "a model that is born here" : directory, fmt::join(template_styles(), ", "));
}

std::string describe_template(const TemplateConfig& config) {
  std::string text = config.style;
  if (is_model(config.style) && config.chat != nullptr) text += fmt::format(" ({})", config.chat->name());
  if (!config.system.empty()) text += ", with a system message";
  if (!config.prefill.empty()) text += fmt::format(", the answer begins with \"{}\"", config.prefill);
  return text;
}

std::string render_prompt(const TemplateConfig& config, const std::string& question) {
  if (config.style == "plain") return question + config.prefill;
  if (config.style == "r1-zero")
    return r1_zero_words() + question + ". Assistant:" + (config.prefill.empty() ? "" : " " + config.prefill);
  Messages messages = Messages::array();
  messages.push_back(message("user", question));
  return render_prompt_of(config, messages);
}

std::string render_prompt_of(const TemplateConfig& config, const Messages& messages) {
  if (config.style == "plain" || config.style == "r1-zero") {
    if (messages.size() != 1 || messages[0].at("role") != "user" || !messages[0].at("content").is_string())
      kernels::fail_usage(
          "template.style: is {}, which asks one question and cannot write a conversation of {} messages. Set it to "
          "chatml, llama3, deepseek-r1 or model.",
          config.style, messages.size());
    return render_prompt(config, messages[0].at("content").get<std::string>());
  }
  std::shared_ptr<const ChatTemplate> holder;
  RenderOptions options = render_options(config);
  options.add_generation_prompt = true;
  return chat_of(config, holder).render(with_system(config, messages), options).text + config.prefill;
}

std::string template_mismatch(const TemplateConfig& config, const Tokenizer& tokenizer) {
  for (const auto& token : builtin_tokens(config.style))
    if (tokenizer.id_of(token) < 0)
      return fmt::format("template.style: is {}, but the tokenizer has no token {}. Use plain or r1-zero.", config.style, token);
  std::string prompt;
  try {
    prompt = render_prompt(config, is_model(config.style) ? "1+1" : "");
  } catch (const kernels::UsageError& e) {
    return fmt::format("template.style: is {}, but the template cannot ask a question: {}", config.style, e.what());
  }
  try {
    tokenizer.encode(prompt);
  } catch (const kernels::UsageError&) {
    throw;
  } catch (const kernels::Error& e) {
    return fmt::format("template.style: is {}, but the tokenizer cannot spell its text: {}", config.style, e.what());
  }
  return "";
}

std::string chat_template_of(const TemplateConfig& config) {
  if (config.style == "plain" || config.style == "r1-zero") return "";
  std::shared_ptr<const ChatTemplate> holder;
  std::string text = chat_of(config, holder).source();
  if (!config.system.empty())
    text = "{% if not messages or messages[0]['role'] != 'system' %}{% set messages = [{'role': 'system', 'content': " +
           jinja::repr(config.system) + "}] + messages %}{% endif %}" + text;
  if (!config.prefill.empty()) {
    if (text.ends_with('\n')) text.pop_back();  // at the end Jinja drops it, before more it would not
    text += "{% if add_generation_prompt %}{{ " + jinja::repr(config.prefill) + " }}{% endif %}";
  }
  return text;
}

TrainText train_text(const TemplateConfig& config, const Messages& given) {
  if (config.style == "plain" || config.style == "r1-zero")
    kernels::fail_usage(
        "template.style: is {}, which cannot write a conversation. Set it to chatml, llama3, deepseek-r1 or model.",
        config.style);
  const auto is_assistant = [](const Messages& m) { return m.value("role", "") == "assistant"; };
  if (std::none_of(given.begin(), given.end(), is_assistant))
    kernels::fail_usage("the conversation has no message of the assistant to learn from.");
  std::shared_ptr<const ChatTemplate> holder;
  const ChatTemplate& chat = chat_of(config, holder);
  const Messages messages = with_system(config, given);
  RenderOptions options = render_options(config);
  TrainText result;
  if (chat.has_generation()) {
    options.spans = true;
    auto output = chat.render(messages, options);
    std::erase_if(output.generation, [](const jinja::Span& s) { return s.begin == s.end; });
    if (output.generation.empty())
      kernels::fail_usage("{}: its {{% generation %}} marks nothing of this conversation.", chat.name());
    return {std::move(output.text), std::move(output.generation)};
  }
  result.text = chat.render(messages, options).text;
  Messages so_far = Messages::array();
  for (size_t i = 0; i < messages.size(); ++i) {
    if (is_assistant(messages[i])) {
      options.add_generation_prompt = true;
      const std::string before = chat.render(so_far, options).text;
      options.add_generation_prompt = false;
      so_far.push_back(messages[i]);
      const std::string after = chat.render(so_far, options).text;
      if (!after.starts_with(before) || !result.text.starts_with(after))
        kernels::fail_usage(
            "{}: message {}: the template writes a turn otherwise when it is asked for, given or followed by others, so "
            "what the assistant says cannot be told from the rest. Mark it in the template by {{% generation %}}, or use "
            "conversations of one turn.",
            chat.name(), i + 1);
      result.trained.push_back({static_cast<int64_t>(before.size()), static_cast<int64_t>(after.size())});
    } else {
      so_far.push_back(messages[i]);
    }
  }
  return result;
}

}  // namespace model
