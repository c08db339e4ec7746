#include "rl/commands/loaded_model.h"

#include <algorithm>

#include "kernels/error.h"
#include "model/files/checkpoint_folder.h"
#include "model/transformer.h"
#include "rl/memory_plan.h"

namespace rl {

LoadedModel::LoadedModel(const model::ModelPlace& place, kernels::Dtype dtype, model::TemplateConfig chat_template,
                         int64_t memory_mb)
    : texts_(place.texts()), chat_template_(std::move(chat_template)) {
  tokenizer_ = model::Tokenizer::from_directory(texts_);
  if (chat_template_.style.empty()) chat_template_.style = "auto";
  model::TemplateConfig chatml;
  chatml.style = "chatml";
  model::resolve_template(chat_template_, texts_, model::template_mismatch(chatml, *tokenizer_).empty() ? "chatml" : "plain");
  if (const std::string why = model::template_mismatch(chat_template_, *tokenizer_); !why.empty())
    kernels::fail_usage("--template {}: {}", chat_template_.style, why);
  const model::ModelConfig config = model::read_config(place.base);
  max_positions_ = config.max_positions;
  for (int64_t id : config.eos_token_ids) stop_tokens_.push_back(static_cast<int32_t>(id));
  const auto weights = model::read_packed_weights(place, config, dtype);
  const int64_t budget = memory_mb > 0 ? memory_mb << 20 : machine_memory_bytes() / 10 * 8;
  const int64_t left = budget - weights->bytes() - (int64_t{512} << 20);
  rollout::EngineConfig engine;
  engine.cache_bytes = std::min(std::max(left, int64_t{64} << 20), int64_t{4} << 30);
  engine_ = std::make_unique<rollout::Engine>(config, dtype, engine, tokenizer_);
  engine_->publish(weights);
}

}  // namespace rl
