// The token that ends a turn of the assistant, as a template writes it: a model's end tokens may be others, of its pretraining or
// in another order, and rows of all forms must end alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/chat/chat_template.h"
#include "model/tokenizer/tokenizer.h"
#include "rl/config.h"

namespace rl {

// The first special token after the words of an answer. None: the template is no chat (plain, r1-zero), or writes none.
std::optional<int32_t> end_token_of(const model::TemplateConfig& chat, const model::Tokenizer& tokenizer);

// Those that the run's sft stages teach and `stops` lacks: sampling must end at them too. Templates are resolved.
std::vector<int32_t> taught_ends(const Config& config, const model::Tokenizer& tokenizer, const std::vector<int32_t>& stops);

// What to say where the model does not name the template's end token as one of its own; empty: it does.
std::string end_token_warning(const model::TemplateConfig& chat, const model::Tokenizer& tokenizer,
                              const std::vector<int32_t>& stops);

}  // namespace rl
