// A model folder, or an adapter on its base, ready to sample: weights, tokenizer, template and an engine. For `ponder eval`
// and `ponder sample`.
#pragma once

#include <memory>
#include <string>

#include "model/chat/chat_template.h"
#include "model/lora/adapter_folder.h"
#include "model/tokenizer/tokenizer.h"
#include "rollout/engine.h"

namespace rl {

class LoadedModel {
 public:
  // chat_template.style empty or auto: the folder's own, else chatml when the tokenizer has its tokens, else plain. Throws UsageError.
  LoadedModel(const model::ModelPlace& place, kernels::Dtype dtype, model::TemplateConfig chat_template, int64_t memory_mb);

  rollout::Engine& engine() { return *engine_; }
  const model::Tokenizer& tokenizer() const { return *tokenizer_; }
  std::shared_ptr<const model::Tokenizer> shared_tokenizer() const { return tokenizer_; }
  const model::TemplateConfig& chat_template() const { return chat_template_; }
  const std::vector<int32_t>& stop_tokens() const { return stop_tokens_; }
  const std::string& texts() const { return texts_; }  // the folder that tokenizer and template are from
  int64_t max_positions() const { return max_positions_; }

 private:
  std::shared_ptr<const model::Tokenizer> tokenizer_;
  std::string texts_;
  model::TemplateConfig chat_template_;
  std::vector<int32_t> stop_tokens_;
  int64_t max_positions_ = 0;
  std::unique_ptr<rollout::Engine> engine_;
};

}  // namespace rl
