// Writes a model folder in Hugging Face's layout. checkpoint_folder.h reads it.
#pragma once

#include <string>

#include "model/parameter_store.h"
#include "model/tokenizer/tokenizer.h"

namespace model {

// Writes the folder (it may exist). Parameters used in float32 are saved in float32, the others in `dtype`.
// `template_style` is kept in tokenizer_config.json as a chat_template when the style is chatml.
void write_model(const std::string& directory, const ParameterStore& store, const Tokenizer& tokenizer, kernels::Dtype dtype,
                 const std::string& template_style = "");

// Only DIR/model.safetensors.
void write_weights(const std::string& directory, const ParameterStore& store, kernels::Dtype dtype);

}  // namespace model
