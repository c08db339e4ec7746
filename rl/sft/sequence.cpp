#include "rl/sft/sequence.h"

#include <algorithm>

#include "kernels/error.h"
#include "rl/collect.h"
#include "rl/data/conversation.h"
#include "rl/sft/end_token.h"

namespace rl {

int64_t SftSequence::trained_tokens() const { return std::count(trained.begin(), trained.end(), uint8_t{1}); }

SftTokenizer::SftTokenizer(std::shared_ptr<const model::Tokenizer> tokenizer, const StageConfig& stage, std::vector<int32_t> stop_tokens,
                           int64_t max_positions)
    : tokenizer_(std::move(tokenizer)),
      sft_(stage.sft),
      stop_tokens_(std::move(stop_tokens)),
      max_tokens_(sft_.max_tokens > 0 ? std::min(sft_.max_tokens, max_positions + 1) : max_positions + 1) {
  take_sets(stage.sets());
}

void SftTokenizer::take_sets(std::vector<DatasetConfig> sets) {
  sets_ = std::move(sets);
  ends_.clear();
  for (const DatasetConfig& set : sets_) {
    auto& ends = ends_.emplace_back();
    if (const auto own = end_token_of(set.chat_template, *tokenizer_)) ends.push_back(*own);
    ends.insert(ends.end(), stop_tokens_.begin(), stop_tokens_.end());
  }
}

SftTokenizer SftTokenizer::only(const DatasetConfig& set) const {
  SftTokenizer own = *this;
  own.take_sets({set});
  return own;
}

const DatasetConfig& SftTokenizer::set_of(const Problem& problem) const { return sets_.at(static_cast<size_t>(problem.set)); }

std::string SftTokenizer::place_of(const Problem& problem) const {
  const std::string& source = set_of(problem).data.train;
  return problem.line > 0 ? fmt::format("{}:{}", source, problem.line) : fmt::format("{}, problem {}", source, problem.prompt_id);
}

SftSequence SftTokenizer::whole(const Problem& problem) const {
  const DatasetConfig& set = set_of(problem);
  const auto& ends = ends_.at(static_cast<size_t>(problem.set));
  SftSequence row;
  if (!problem.messages.empty()) {
    const int64_t prompt_messages = sft_.train_on == "assistant" ? 0 : problem.prompt_messages;
    try {
      ConversationTokens all = conversation_tokens(*tokenizer_, set.chat_template, problem.messages, ends, prompt_messages);
      row = {std::move(all.prompt), std::move(all.tokens), std::move(all.trained)};
    } catch (const kernels::UsageError& error) {
      kernels::fail_usage("{}: {}", place_of(problem), error.what());
    }
  } else {
    if (problem.completion.empty())
      kernels::fail_usage("{}: has no completion to learn from under \"{}\". Set data.completion_key to the key that holds it.",
                          place_of(problem), set.data.completion_key);
    row.prompt = tokenizer_->encode(model::render_prompt(set.chat_template, problem.question));
    row.tokens = tokenizer_->encode(problem.completion);
    if (!ends.empty()) row.tokens.push_back(ends.front());
    row.trained.assign(row.tokens.size(), 1);
  }
  return row;
}

std::optional<SftSequence> SftTokenizer::sequence(const Problem& problem) const {
  if (problem.blank_completion) return std::nullopt;
  const DataConfig& data = set_of(problem).data;
  SftSequence row = whole(problem);
  if (static_cast<int64_t>(row.prompt.size()) > data.max_prompt_tokens) {
    if (data.overlong_prompt == "error")
      kernels::fail_usage("{}: its prompt has {} tokens, but data.max_prompt_tokens is {}. Raise it, or set data.overlong_prompt to "
                          "\"drop\" or \"truncate_left\".", place_of(problem), row.prompt.size(), data.max_prompt_tokens);
    if (data.overlong_prompt == "drop") return std::nullopt;
    row.prompt = cut_left(std::move(row.prompt), data.max_prompt_tokens);
  }
  if (const int64_t extra = row.length() - max_tokens_; extra > 0) {
    if (sft_.overlong == "error")
      kernels::fail_usage("{}: has {} tokens, prompt and end token included, but {}. Shorten or remove the row, or set sft.overlong to "
                          "\"drop\" or \"truncate\".", place_of(problem), row.length(),
                          sft_.max_tokens == max_tokens_ ? fmt::format("sft.max_tokens is {}", max_tokens_)
                                                         : fmt::format("the model has positions for {}", max_tokens_));
    if (sft_.overlong == "drop" || extra >= static_cast<int64_t>(row.tokens.size())) return std::nullopt;
    row.tokens.resize(row.tokens.size() - static_cast<size_t>(extra));
    row.trained.resize(row.tokens.size());
  }
  if (sft_.train_on == "all") {
    row.tokens.insert(row.tokens.begin(), row.prompt.begin() + 1, row.prompt.end());
    row.prompt.resize(1);
    row.trained.assign(row.tokens.size(), 1);
  }
  if (row.trained_tokens() == 0) return std::nullopt;
  return row;
}

TrainGroup group_of(SftSequence sequence, int64_t group_id) {
  TrainGroup group;
  group.group_id = group_id;
  group.prompt = std::move(sequence.prompt);
  TrainSequence completion;
  completion.tokens = std::move(sequence.tokens);
  completion.trained = std::move(sequence.trained);
  group.sequences.push_back(std::move(completion));
  return group;
}

}  // namespace rl
