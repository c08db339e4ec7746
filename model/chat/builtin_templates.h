// The chat templates that ship, in Jinja.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/chat/chat_template.h"

namespace model {

// chatml, llama3 and deepseek-r1; nullptr for other names. Parsed once.
std::shared_ptr<const ChatTemplate> builtin_template(const std::string& style);
// Tokens that a tokenizer must have for it.
std::vector<std::string> builtin_tokens(const std::string& style);

// DeepSeek-R1-Zero's words before the question.
const std::string& r1_zero_words();

}  // namespace model
