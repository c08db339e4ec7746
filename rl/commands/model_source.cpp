#include "rl/commands/model_source.h"

#include <filesystem>
#include <fstream>

#include "kernels/error.h"
#include "model/files/json_fields.h"
#include "model/files/mapped_file.h"
#include "model/gguf/gguf_import.h"

namespace rl {

bool is_gguf(const std::string& path) {
  char magic[4] = {};
  return std::filesystem::is_regular_file(path) && std::ifstream(path, std::ios::binary).read(magic, 4) &&
         std::string(magic, 4) == "GGUF";
}

std::shared_ptr<const model::Tokenizer> open_tokenizer(const std::string& path) {
  if (std::filesystem::is_directory(path)) return model::Tokenizer::from_directory(path);
  if (!is_gguf(path)) return model::Tokenizer::from_json(model::read_text_file(path), path);
  const model::MappedFile mapped(path);
  const auto gguf = model::parse_gguf(mapped.data(), mapped.size(), path);
  return model::Tokenizer::from_json(model::gguf_tokenizer_json(gguf.metadata, path), path);
}

}  // namespace rl
