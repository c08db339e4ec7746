// Problems as they are asked: each in the template of its data set, tokenised, cut to the set's longest prompt.
#pragma once

#include <memory>
#include <vector>

#include "rl/collect.h"

namespace rl {

class PromptMaker {
 public:
  PromptMaker(const StageConfig& stage, std::shared_ptr<const model::Tokenizer> tokenizer)
      : sets_(stage.sets()), tokenizer_(std::move(tokenizer)) {}

  Prompt operator()(const Problem& problem) const;  // thread-safe
  std::vector<Prompt> operator()(const std::vector<Problem>& problems) const;

 private:
  std::vector<DatasetConfig> sets_;
  std::shared_ptr<const model::Tokenizer> tokenizer_;
};

}  // namespace rl
