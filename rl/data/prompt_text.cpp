#include "rl/data/prompt_text.h"

#include "kernels/error.h"

namespace rl {

std::string prompt_text(const model::TemplateConfig& chat, const Problem& problem) {
  if (problem.messages.empty()) return model::render_prompt(chat, problem.question);
  auto messages = model::Messages::parse(problem.messages);
  if (const auto asked = static_cast<size_t>(problem.prompt_messages); asked > 0)
    while (messages.size() > asked) messages.erase(messages.size() - 1);
  else if (!messages.empty() && messages.back().at("role") == "assistant") messages.erase(messages.size() - 1);
  try {
    if (messages.empty()) kernels::fail_usage("the conversation has nothing that the assistant could answer.");
    return model::render_prompt_of(chat, messages);
  } catch (const kernels::UsageError& e) {
    kernels::fail_usage("line {}: {}", problem.line, e.what());
  }
}

}  // namespace rl
