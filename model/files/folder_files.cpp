#include "model/files/folder_files.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "model/files/json_fields.h"
#include "model/files/safetensors.h"

namespace model {

using nlohmann::ordered_json;

namespace {

constexpr const char* kIds[] = {"bos_token_id", "eos_token_id", "pad_token_id"};

bool is_id(const std::string& key) { return key == kIds[0] || key == kIds[1] || key == kIds[2]; }

std::string text_of(const ordered_json& j) { return j.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n"; }

ordered_json born_config(const ModelConfig& c, const std::string& dtype) {
  ordered_json j = config_to_json(c, kernels::Dtype::float32);
  if (!dtype.empty()) j["dtype"] = j["torch_dtype"] = dtype;
  return j;
}

// The source's own config.json with what must change. Its token ids stay: generation_config.json may say others, and wins.
std::string kept_config(const ModelConfig& c, const std::string& dtype, const std::string& source) {
  const ordered_json was = born_config(config_from_json(parse_json(source, "config.json"), "config.json"), dtype);
  const ordered_json now = born_config(c, dtype);
  const ordered_json read = ordered_json::parse(source);
  ordered_json kept = read;
  for (const auto& [key, value] : now.items())
    if (!is_id(key) && (!was.contains(key) || was[key] != value)) kept[key] = value;
  for (const auto& [key, value] : was.items())
    if (!now.contains(key)) kept.erase(key);
  for (const char* key : {"dtype", "torch_dtype"})
    if (!dtype.empty() && (kept.contains(key) || (!read.contains("dtype") && !read.contains("torch_dtype")))) kept[key] = dtype;
  if (kept.contains("num_nextn_predict_layers")) kept["num_nextn_predict_layers"] = 0;
  kept.erase("quantization_config");
  kept.erase("auto_map");
  return kept == read ? source : text_of(kept);
}

ordered_json generation_config(const ordered_json& config) {
  ordered_json j{{"_from_model_config", true}};
  for (const char* key : kIds)
    if (!config[key].is_null()) j[key] = config[key];
  return j;
}

ordered_json tokenizer_config(const ModelConfig& c, const Tokenizer& tokenizer) {
  ordered_json j{{"tokenizer_class", "PreTrainedTokenizerFast"},
                 {"model_max_length", c.max_positions},
                 {"clean_up_tokenization_spaces", false}};
  const auto name = [&](const char* key, int64_t id) {
    if (id >= 0 && id < tokenizer.size()) j[key] = tokenizer.spelling(static_cast<int32_t>(id));
  };
  name("bos_token", c.bos_token_id);
  name("eos_token", c.eos_token_ids.empty() ? -1 : c.eos_token_ids[0]);
  name("pad_token", c.pad_token_id);
  return j;
}

// The template of tokenizer_config.json: a text, or the one named default of a list.
std::string own_template(const ordered_json& tokenizer_config) {
  const auto it = tokenizer_config.is_object() ? tokenizer_config.find("chat_template") : tokenizer_config.end();
  if (it == tokenizer_config.end()) return "";
  if (it->is_string()) return *it;
  for (const auto& entry : *it)
    if (entry.is_object() && entry.value("name", "") == "default") return entry.value("template", "");
  return "";
}

// chat_template.jinja, where a folder has one, wins over tokenizer_config.json.
void put_template(std::map<std::string, std::string>& texts, const std::string& chat_template) {
  if (chat_template.empty()) return;
  if (const auto file = texts.find("chat_template.jinja"); file != texts.end()) {
    file->second = chat_template;
    return;
  }
  std::string& text = texts["tokenizer_config.json"];
  auto json = ordered_json::parse(text, nullptr, false);
  if (!json.is_object()) kernels::fail_usage("tokenizer_config.json: is no JSON object.");
  if (own_template(json) == chat_template) return;
  json["chat_template"] = chat_template;
  text = text_of(json);
}

void write_text(const std::string& directory, const std::string& name, const std::string& text) {
  const std::filesystem::path path = std::filesystem::path(directory) / name;
  if (name.find('/') != std::string::npos) make_folder(path.parent_path().string());
  write_file_atomically(path.string(), text);
}

}  // namespace

void make_folder(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) kernels::fail_usage("{}: the folder cannot be made: {}", directory, error.message());
}

void write_folder_files(const std::string& directory, const ModelConfig& config, const std::string& dtype,
                        const Tokenizer& tokenizer, const std::string& chat_template, const SourceFiles& source) {
  const auto born = born_config(config, dtype);
  const std::string *own_config = source.find("config.json"), *own_generation = source.find("generation_config.json");
  write_tokenizer_files(directory, config, tokenizer, chat_template, source);
  write_text(directory, "generation_config.json", own_generation ? *own_generation : text_of(generation_config(born)));
  // Last: a folder that has it is whole.
  write_text(directory, "config.json", own_config ? kept_config(config, dtype, *own_config) : text_of(born));
}

void write_tokenizer_files(const std::string& directory, const ModelConfig& config, const Tokenizer& tokenizer,
                           const std::string& chat_template, const SourceFiles& source) {
  auto texts = source.texts;
  texts.erase("config.json");
  texts.erase("generation_config.json");
  texts["tokenizer.json"] = tokenizer.json();
  texts.try_emplace("tokenizer_config.json", text_of(tokenizer_config(config, tokenizer)));
  put_template(texts, chat_template);
  for (const auto& [name, text] : texts) write_text(directory, name, text);
}

void write_folder_files(const std::string& directory, const ModelConfig& config, kernels::Dtype dtype, const Tokenizer& tokenizer,
                        const std::string& chat_template, const SourceFiles& source) {
  const std::string name = dtype == kernels::Dtype::bf16 ? "bfloat16" : "float32";
  write_folder_files(directory, config, name, tokenizer, chat_template, source);
}

}  // namespace model
