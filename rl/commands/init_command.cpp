// `ponder init`: a model folder with random weights.
#include <fmt/core.h>

#include <filesystem>
#include <sstream>

#include "kernels/error.h"
#include "model/files/atomic_folder.h"
#include "model/files/json_fields.h"
#include "model/files/write_folder.h"
#include "model/parameter_counts.h"
#include "model/tokenizer/bpe_trainer.h"
#include "rl/commands/commands.h"
#include "rl/commands/machine.h"
#include "rl/commands/output_folder.h"
#include "rl/memory_plan.h"
#include "rl/report/terminal.h"

namespace rl {
namespace {

namespace fs = std::filesystem;

struct BornTokenizer {
  std::shared_ptr<const model::Tokenizer> tokenizer;
  model::SourceFiles files;  // beside tokenizer.json, of tokenizer.path
};

BornTokenizer read_tokenizer(const std::string& path) {
  BornTokenizer born;
  if (!fs::is_directory(path)) {
    born.tokenizer = model::Tokenizer::from_json(model::read_text_file(path), path);
    return born;
  }
  born.tokenizer = model::Tokenizer::from_directory(path);
  born.files = model::read_source_files(path);
  // These tell of the folder's model, not of its tokenizer.
  std::erase_if(born.files.texts, [](const auto& file) {
    const std::string& name = file.first;
    return name == "config.json" || name == "generation_config.json" || name.starts_with("LICENSE") || name.starts_with("NOTICE") ||
           name == "USE_POLICY.md";
  });
  return born;
}

// A text file whole; of a JSON-lines file each text of each row.
void add_file(model::BpeTrainer& trainer, const std::string& file) {
  const std::string text = model::read_text_file(file);
  if (!file.ends_with(".jsonl")) return trainer.add(text);
  std::istringstream lines(text);
  int64_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto place = fmt::format("{}:{}", file, ++number);
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    for (const auto& value : model::parse_json(line, place))
      if (value.is_string()) trainer.add(value.get<std::string>());
  }
}

BornTokenizer train_tokenizer(const TokenizerSettings& settings, const std::vector<std::string>& special) {
  model::BpeTrainer trainer({.vocab_size = settings.vocab_size, .special = special});
  for (const auto& file : settings.text) add_file(trainer, file);
  const auto result = trainer.train();
  if (result.tokens < settings.vocab_size)
    fmt::print(stderr, "warning: tokenizer.vocab_size: is {}, but the text has no pairs left for more than {} tokens.\n",
               settings.vocab_size, result.tokens);
  return {model::Tokenizer::from_json(result.tokenizer_json, "[tokenizer] text"), {}};
}

BornTokenizer make_tokenizer(const Config& config) {
  if (!config.tokenizer.path.empty()) return read_tokenizer(config.tokenizer.path);
  if (!config.tokenizer.text.empty()) return train_tokenizer(config.tokenizer, config.model.special_tokens);
  return {model::Tokenizer::from_json(model::character_tokenizer_json(config.model.alphabet, config.model.special_tokens), "[model]"), {}};
}

// The id of "bos_token", ... in tokenizer_config.json, where it is text or {"content": text}; -1: it names none.
int64_t named_token(const BornTokenizer& born, const char* key) {
  const std::string* text = born.files.find("tokenizer_config.json");
  if (!text) return -1;
  const auto json = model::parse_json(*text, "tokenizer_config.json");
  const auto it = json.find(key);
  if (it == json.end()) return -1;
  const auto& name = it->is_object() ? it->value("content", nlohmann::json()) : *it;
  return name.is_string() ? born.tokenizer->id_of(name.get<std::string>()) : -1;
}

void set_vocabulary(model::ModelConfig& sizes, const Config& config, const BornTokenizer& born) {
  sizes.vocab_size = born.tokenizer->size();
  const std::string& eos = config.model.eos_token;
  const int64_t end = eos.empty() ? named_token(born, "eos_token") : born.tokenizer->id_of(eos);
  if (end < 0 && !eos.empty()) kernels::fail_usage("model.eos_token: is \"{}\", which the tokenizer does not have.", eos);
  if (end < 0)
    kernels::fail_usage("model.eos_token: is missing, and {} does not say which token ends a text. Name it, such as \"<|endoftext|>\".",
                        config.tokenizer.path);
  sizes.eos_token_ids = {end};
  sizes.bos_token_id = named_token(born, "bos_token");
  const int64_t pad = born.tokenizer->id_of("<pad>");
  sizes.pad_token_id = pad >= 0 ? pad : named_token(born, "pad_token");
}

int64_t bytes_of(const model::ParameterList& list, kernels::Dtype dtype) {
  int64_t sum = 0;
  for (const auto& p : list.parameters()) sum += p.size * (dtype == kernels::Dtype::bf16 && !p.compute_float32 ? 2 : 4);
  return sum;
}

void check_memory(const model::ParameterList& list) {
  const int64_t needed = list.size() * 4, here = machine_memory_bytes();
  if (needed > here / 10 * 9)
    kernels::fail_usage("the model has {} parameters, which take {} MB while they are drawn; this machine has {} MB. Make it smaller.",
                        count_text(static_cast<double>(list.size())), needed >> 20, here >> 20);
}

}  // namespace

int run_init(const std::string& sizes_file, const std::string& directory, const std::vector<std::string>& overrides) {
  const Config config = read_sizes(sizes_file, overrides);
  check_output_folder(directory, /*force=*/false);
  const BornTokenizer born = make_tokenizer(config);
  model::ModelConfig sizes = config.model.sizes;
  set_vocabulary(sizes, config, born);
  try {
    model::check(sizes);
  } catch (const kernels::UsageError& error) {
    kernels::fail_usage("{}: {}", sizes_file, error.what());
  }
  const model::ParameterList list(sizes);
  check_memory(list);
  model::ParameterStore store(sizes, /*with_training=*/false);
  store.init_random(static_cast<uint64_t>(config.run.seed), config.model.init_std);
  model::AtomicFolder folder(directory);
  model::write_model(folder.temporary(), store, *born.tokenizer, config.model.compute_dtype, "", born.files);
  folder.commit();
  const int64_t active = model::count_parameters(sizes).active;
  fmt::print("{}: {}, {} layers of width {}, {} parameters", directory, sizes.family, sizes.layers, sizes.width,
             count_text(static_cast<double>(list.size())));
  if (active != list.size()) fmt::print(", {} of them active for a token", count_text(static_cast<double>(active)));
  fmt::print("; {:.1f} MB in {}; {} tokens, end of text: {} ({}); seed {}\n",
             static_cast<double>(bytes_of(list, config.model.compute_dtype)) / 1e6, kernels::name_of(config.model.compute_dtype),
             sizes.vocab_size, born.tokenizer->token_bytes(static_cast<int32_t>(sizes.eos_token_ids[0])), sizes.eos_token_ids[0],
             config.run.seed);
  return 0;
}

}  // namespace rl
