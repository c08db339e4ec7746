#include "model/files/source_files.h"

#include <filesystem>

#include "model/files/json_fields.h"

namespace model {

namespace {

constexpr const char* kKept[] = {
    "config.json",      "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "vocab.json",            "merges.txt",     "tokenizer.model",       "tekken.json",
    "chat_template.jinja", "chat_template.json",  "LICENSE",        "LICENSE.txt",           "LICENSE.md",
    "NOTICE",           "NOTICE.txt",             "USE_POLICY.md",
};
constexpr const char* kMoreTemplates = "additional_chat_templates";  // a folder of NAME.jinja

}  // namespace

SourceFiles read_source_files(const std::string& directory) {
  namespace fs = std::filesystem;
  SourceFiles files;
  const auto keep = [&](const std::string& name) { files.texts[name] = read_text_file(directory + "/" + name); };
  for (const char* name : kKept)
    if (fs::is_regular_file(fs::path(directory) / name)) keep(name);
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(fs::path(directory) / kMoreTemplates, none))
    if (entry.is_regular_file() && entry.path().extension() == ".jinja")
      keep(std::string(kMoreTemplates) + "/" + entry.path().filename().string());
  return files;
}

}  // namespace model
