#include "rl/data/conversation.h"

#include <algorithm>

#include "kernels/error.h"

namespace rl {
namespace {

// The template marks the assistant's turns in order: those of the prompt come first.
void leave_out_prompt(model::TrainText& written, const model::Messages& messages, int64_t prompt_messages) {
  const auto turns = [&](int64_t end) {
    return std::count_if(messages.begin(), messages.begin() + end, [](const auto& m) { return m.at("role") == "assistant"; });
  };
  const int64_t all = turns(static_cast<int64_t>(messages.size())), of_prompt = turns(prompt_messages);
  if (of_prompt == 0) return;
  if (of_prompt == all) kernels::fail_usage("the completion has no message of the assistant, so there is nothing to learn.");
  if (static_cast<int64_t>(written.trained.size()) != all)
    kernels::fail_usage("the template marks {} parts as the assistant's, but the row has {} messages of the assistant, so its prompt's "
                        "cannot be told apart. Set sft.train_on = \"assistant\".", written.trained.size(), all);
  written.trained.erase(written.trained.begin(), written.trained.begin() + of_prompt);
}

}  // namespace

ConversationTokens conversation_tokens(const model::Tokenizer& tokenizer, const model::TemplateConfig& chat, const std::string& messages,
                                       const std::vector<int32_t>& stop_tokens, int64_t prompt_messages) {
  const auto parsed = model::Messages::parse(messages);
  model::TrainText written = model::train_text(chat, parsed);
  leave_out_prompt(written, parsed, prompt_messages);
  ConversationTokens result;
  const auto encode = [&](int64_t begin, int64_t end) {
    return tokenizer.encode(std::string_view(written.text).substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin)));
  };
  const auto append = [&](const std::vector<int32_t>& ids, size_t trained) {
    result.tokens.insert(result.tokens.end(), ids.begin(), ids.end());
    for (size_t i = 0; i < ids.size(); ++i) result.trained.push_back(i < trained);
  };
  result.prompt = encode(0, written.trained.front().begin);
  if (result.prompt.empty()) kernels::fail_usage("the conversation begins with the assistant, who has nothing to answer.");
  int64_t at = written.trained.front().begin;
  for (const auto& span : written.trained) {
    append(encode(at, span.begin), 0);
    const auto ids = encode(span.begin, span.end);
    const auto stop = std::find_first_of(ids.begin(), ids.end(), stop_tokens.begin(), stop_tokens.end());
    append(ids, stop == ids.end() ? ids.size() : static_cast<size_t>(stop - ids.begin()) + 1);
    at = span.end;
  }
  while (!result.trained.empty() && result.trained.back() == 0) result.trained.pop_back(), result.tokens.pop_back();
  return result;
}

}  // namespace rl
