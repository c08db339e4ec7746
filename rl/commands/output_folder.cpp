#include "rl/commands/output_folder.h"

#include <filesystem>

#include "kernels/error.h"

namespace rl {

namespace fs = std::filesystem;

namespace {

bool is_model_file(const fs::directory_entry& entry) {
  const std::string name = entry.path().filename().string();
  if (entry.is_directory()) return name == "additional_chat_templates";
  for (const char* end : {".safetensors", ".json", ".jinja", ".md", ".txt", ".model"})
    if (name.ends_with(end)) return true;
  return name == "LICENSE" || name == "NOTICE" || name == ".gitattributes";
}

}  // namespace

void check_output_folder(const std::string& out, bool force) {
  const fs::path target(out);
  if (!fs::exists(target)) return;
  if (!fs::is_directory(target)) kernels::fail_usage("{}: is a file. Give the name of a new folder.", out);
  if (fs::is_empty(target)) return;
  if (!force) kernels::fail_usage("{}: is not empty. Give a new folder, or --force to replace a model folder.", out);
  if (!fs::exists(target / "config.json"))
    kernels::fail_usage("{}: is not empty, and has no config.json: it is no model folder, and --force leaves it alone.", out);
  for (const auto& entry : fs::directory_iterator(target))
    if (!is_model_file(entry))
      kernels::fail_usage("{}: is no part of a model that was exported, so --force leaves {} alone. Move it, or give another folder.",
                          entry.path().string(), out);
}

}  // namespace rl
