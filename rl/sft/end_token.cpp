#include "rl/sft/end_token.h"

#include <fmt/core.h>

#include <algorithm>

#include "kernels/error.h"

namespace rl {
namespace {

bool holds(const std::vector<int32_t>& list, int32_t token) { return std::find(list.begin(), list.end(), token) != list.end(); }

// What the template writes after an answer, in its turn.
std::string after_answer(const model::TemplateConfig& chat) {
  const std::string answer = "four";
  model::Messages messages = model::Messages::array();
  messages.push_back(model::message("user", "2+2"));
  messages.push_back(model::message("assistant", answer));
  const model::TrainText written = model::train_text(chat, messages);
  const auto& turn = written.trained.back();
  const std::string text = written.text.substr(static_cast<size_t>(turn.begin), static_cast<size_t>(turn.end - turn.begin));
  const size_t at = text.rfind(answer);
  return at == std::string::npos ? "" : text.substr(at + answer.size());
}

}  // namespace

std::optional<int32_t> end_token_of(const model::TemplateConfig& chat, const model::Tokenizer& tokenizer) {
  if (chat.style == "plain" || chat.style == "r1-zero") return std::nullopt;
  try {
    for (const int32_t token : tokenizer.encode(after_answer(chat)))
      if (tokenizer.is_special(token)) return token;
  } catch (const kernels::Error&) {  // a template that cannot tell an answer from the rest, or text outside the alphabet
  }
  return std::nullopt;
}

std::vector<int32_t> taught_ends(const Config& config, const model::Tokenizer& tokenizer, const std::vector<int32_t>& stops) {
  std::vector<int32_t> ends;
  for (const StageConfig& stage : config.stages) {
    if (stage.kind != "sft") continue;
    for (const DatasetConfig& set : stage.sets()) {
      const auto end = end_token_of(set.chat_template, tokenizer);
      if (end && !holds(stops, *end) && !holds(ends, *end)) ends.push_back(*end);
    }
  }
  return ends;
}

std::string end_token_warning(const model::TemplateConfig& chat, const model::Tokenizer& tokenizer,
                              const std::vector<int32_t>& stops) {
  const auto end = end_token_of(chat, tokenizer);
  if (!end || holds(stops, *end)) return "";
  return fmt::format("the template ends a turn with {} ({}), which the model's eos_token_id does not name. Rows are learnt with "
                     "it, and this run's samples end at it; other programs go on past it, unless eos_token_id in config.json and "
                     "generation_config.json lists it.", tokenizer.spelling(*end), *end);
}

}  // namespace rl
