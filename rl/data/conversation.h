// A conversation as tokens to learn from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/chat/chat_template.h"
#include "model/tokenizer/tokenizer.h"

namespace rl {

struct ConversationTokens {
  std::vector<int32_t> prompt;   // up to the first word of the assistant's; nothing of it is trained
  std::vector<int32_t> tokens;   // the rest, up to the last trained one
  std::vector<uint8_t> trained;  // one for each of `tokens`: 1 where the assistant speaks
};

// `messages`: JSON text of a list. The assistant's turns among the first `prompt_messages` of them are not trained: they are part of
// the prompt. Each turn of the assistant is tokenised for itself, as when it is sampled, and trained up to its
// end token, if one of `stop_tokens` stands in it. Throws UsageError, see model::train_text.
ConversationTokens conversation_tokens(const model::Tokenizer& tokenizer, const model::TemplateConfig& chat, const std::string& messages,
                                       const std::vector<int32_t>& stop_tokens, int64_t prompt_messages = 0);

}  // namespace rl
