// A row to learn from, as tokens with a mask.
//
//   a prompt and its completion   the prompt in the template, then the completion's text and the end token: the one that the
//                                 template ends a turn with (end_token.h), or the model's first
//   a conversation                the template's text; each turn of the assistant is tokenised for itself, as when it is sampled
//
// What is learnt (sft.train_on):
//   completion   a completion with its end token; of a conversation the assistant's turns after its prompt (`prompt_messages`), or all
//                of them where the row names no prompt, each with its end token
//   assistant    all of the assistant's turns, in a prompt too
//   all          every token but the first, up to the last end token
//
// Rows are not padded and never see each other: a micro-batch is many of them one after the other, each a group of its own
// (rl/batch.h), up to optimizer.max_tokens_per_microbatch. How they are packed changes no bit of loss or gradient.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/tokenizer/tokenizer.h"
#include "rl/batch.h"
#include "rl/dataset.h"

namespace rl {

struct SftSequence {
  std::vector<int32_t> prompt;   // nothing of it is trained; not empty
  std::vector<int32_t> tokens;   // what comes after
  std::vector<uint8_t> trained;  // one for each of `tokens`

  int64_t length() const { return static_cast<int64_t>(prompt.size() + tokens.size()); }
  int64_t trained_tokens() const;
};

class SftTokenizer {
 public:
  // Of a stage whose templates are resolved: a problem goes by its data set. `max_positions`: the model's.
  SftTokenizer(std::shared_ptr<const model::Tokenizer> tokenizer, const StageConfig& stage, std::vector<int32_t> stop_tokens,
               int64_t max_positions);

  // The row as it is, however long. Throws UsageError: no completion, or a conversation that the template cannot carry.
  SftSequence whole(const Problem& problem) const;
  // As it is trained, by data.overlong_prompt and sft.overlong; nullopt: it is left out, as is a row with an empty completion.
  // Throws UsageError with file and line where these say "error".
  std::optional<SftSequence> sequence(const Problem& problem) const;

  // The same for the problems of one set, before they know which they are of.
  SftTokenizer only(const DatasetConfig& set) const;

  int64_t max_tokens() const { return max_tokens_; }  // of a row: the last token needs no position

 private:
  void take_sets(std::vector<DatasetConfig> sets);
  const DatasetConfig& set_of(const Problem& problem) const;
  std::string place_of(const Problem& problem) const;  // "file:line", or the generator and the problem's number

  std::shared_ptr<const model::Tokenizer> tokenizer_;
  std::vector<DatasetConfig> sets_;
  std::vector<std::vector<int32_t>> ends_;  // of each set: what ends a turn, the template's own token first
  SftConfig sft_;
  std::vector<int32_t> stop_tokens_;
  int64_t max_tokens_;
};

// As a group of one completion, weights not yet set.
TrainGroup group_of(SftSequence sequence, int64_t group_id);

}  // namespace rl
