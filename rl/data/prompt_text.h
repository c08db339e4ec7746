// The text that a problem asks the model to go on with.
#pragma once

#include <string>

#include "model/chat/chat_template.h"
#include "rl/dataset.h"

namespace rl {

// Of a question the prompt by the template. Of a conversation its first `prompt_messages`, where the row says how many are the
// prompt, else all its messages but a last one of the assistant's, which is what the model shall say itself. Throws UsageError, with the row's line: the template refuses it, or nobody asks anything.
std::string prompt_text(const model::TemplateConfig& chat, const Problem& problem);

}  // namespace rl
