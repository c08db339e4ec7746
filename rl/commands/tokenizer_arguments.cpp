// ponder tokenizer.
#include "rl/commands/arguments.h"

namespace rl {

void add_tokenizer(CLI::App& app, Command& command) {
  static TokenizerTrainOptions options;
  auto* tokenizer = app.add_subcommand("tokenizer", "Make a tokenizer");
  tokenizer->require_subcommand(1);
  auto* train = tokenizer->add_subcommand("train", "Learn a byte-level BPE vocabulary from text")
                    ->footer(
                        "Example:\n  ponder tokenizer train book.txt train.jsonl --key question --vocab 4096 --output words \\\n"
                        "    --special '<|endoftext|>' --special '<|im_start|>' --special '<|im_end|>'\n\n"
                        "Writes tokenizer.json, which the library tokenizers loads, and tokenizer_config.json. Special tokens\n"
                        "get the ids 0, 1, ...; the 256 bytes and then one token a merge follow. Equal texts give equal files.");
  train->add_option("TEXT", options.texts, "Files of text in UTF-8; of a .jsonl file the texts under --key")->required();
  train->add_option("--vocab", options.training.vocab_size, "Tokens in all")->required();
  train->add_option("--output", options.output, "Folder to write to; made if it is not there")->type_name("DIR")->required();
  train->add_option("--special", options.training.special, "A token of its own that no text is cut into; may be repeated")
      ->type_name("TOKEN")
      ->allow_extra_args(false);
  train->add_option("--pattern", options.training.pattern, "How text is cut before pairs are counted: as these models do")
      ->capture_default_str()
      ->check(CLI::IsMember({"gpt2", "qwen2", "llama3"}));
  train->add_option("--key", options.key, "Key of the text in the lines of .jsonl files");
  train->callback([&] { command = [&] { return run_tokenizer_train(options); }; });
}

}  // namespace rl
