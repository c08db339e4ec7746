#include "rl/sampling/prompt_maker.h"

#include "rl/data/prompt_text.h"

namespace rl {

Prompt PromptMaker::operator()(const Problem& problem) const {
  const DatasetConfig& set = sets_.at(static_cast<size_t>(problem.set));
  Prompt prompt{problem, prompt_text(set.chat_template, problem), {}};
  prompt.tokens = cut_left(tokenizer_->encode(prompt.text), set.data.max_prompt_tokens);
  return prompt;
}

std::vector<Prompt> PromptMaker::operator()(const std::vector<Problem>& problems) const {
  std::vector<Prompt> prompts;
  for (const Problem& problem : problems) prompts.push_back((*this)(problem));
  return prompts;
}

}  // namespace rl
