// `ponder tokenizer train`: a tokenizer from files of text.
#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "model/files/folder_files.h"
#include "model/files/json_fields.h"
#include "model/files/safetensors.h"
#include "model/tokenizer/tokenizer.h"
#include "rl/commands/commands.h"

namespace rl {

using kernels::fail_usage;

namespace {

void add_lines(model::BpeTrainer& trainer, const std::string& text, const std::string& file, const std::string& key) {
  if (key.empty()) fail_usage("{}: name the key of its texts with --key, for example --key question.", file);
  int64_t line = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const auto place = fmt::format("{}:{}", file, ++line);
    const std::string row = text.substr(begin, end - begin);
    begin = end + 1;
    if (row.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto json = model::parse_json(row, place);
    trainer.add(model::JsonFields(json, place).string(key.c_str()));
  }
}

void add_file(model::BpeTrainer& trainer, const std::string& file, const std::string& key) {
  const std::string text = model::read_text_file(file);
  if (file.ends_with(".jsonl")) return add_lines(trainer, text, file, key);
  try {
    trainer.add(text);
  } catch (const kernels::UsageError& e) {
    fail_usage("{}: {}", file, e.what());
  }
}

}  // namespace

int run_tokenizer_train(const TokenizerTrainOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  model::BpeTrainer trainer(options.training);
  for (const auto& file : options.texts) add_file(trainer, file, options.key);
  const auto result = trainer.train();
  const auto file = options.output + "/tokenizer.json";
  const auto tokenizer = model::Tokenizer::from_json(result.tokenizer_json, file);
  model::make_folder(options.output);
  model::write_file_atomically(file, result.tokenizer_json);
  const nlohmann::ordered_json config{{"tokenizer_class", "PreTrainedTokenizerFast"}, {"clean_up_tokenization_spaces", false}};
  model::write_file_atomically(options.output + "/tokenizer_config.json", config.dump(2) + "\n");
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  fmt::print("{}: {} tokens from {:.2f} MB of text in {:.1f} s; the last merge was counted {} times.\n", file, tokenizer->size(),
             static_cast<double>(trainer.text_bytes()) / 1e6, seconds, result.rarest);
  if (result.tokens < options.training.vocab_size)
    fmt::print(stderr, "The text has no pairs left for more than {} of the {} tokens; give more text.\n", result.tokens,
               options.training.vocab_size);
  return 0;
}

}  // namespace rl
