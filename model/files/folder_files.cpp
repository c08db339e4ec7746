#include "model/files/folder_files.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "model/files/safetensors.h"

namespace model {

using nlohmann::ordered_json;

namespace {

ordered_json generation_config(const ModelConfig& c, const ordered_json& config) {
  ordered_json j{{"_from_model_config", true}};
  for (const char* key : {"bos_token_id", "eos_token_id", "pad_token_id"})
    if (!config[key].is_null()) j[key] = config[key];
  return j;
}

ordered_json tokenizer_config(const ModelConfig& c, const Tokenizer& tokenizer, const std::string& chat_template) {
  ordered_json j{{"tokenizer_class", "PreTrainedTokenizerFast"},
                 {"model_max_length", c.max_positions},
                 {"clean_up_tokenization_spaces", false}};
  const auto name = [&](const char* key, int64_t id) {
    if (id >= 0 && id < tokenizer.size()) j[key] = tokenizer.spelling(static_cast<int32_t>(id));
  };
  name("bos_token", c.bos_token_id);
  name("eos_token", c.eos_token_ids.empty() ? -1 : c.eos_token_ids[0]);
  name("pad_token", c.pad_token_id);
  if (!chat_template.empty()) j["chat_template"] = chat_template;
  return j;
}

}  // namespace

void make_folder(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) kernels::fail_usage("{}: the folder cannot be made: {}", directory, error.message());
}

void write_folder_files(const std::string& directory, const ModelConfig& config, kernels::Dtype dtype, const Tokenizer& tokenizer,
                        const std::string& chat_template) {
  const auto config_json = config_to_json(config, dtype);
  const auto write = [&](const char* name, const ordered_json& j) {
    write_file_atomically(directory + "/" + name, j.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n");
  };
  write_file_atomically(directory + "/tokenizer.json", tokenizer.json());
  write("tokenizer_config.json", tokenizer_config(config, tokenizer, chat_template));
  write("generation_config.json", generation_config(config, config_json));
  write("config.json", config_json);
}

}  // namespace model
