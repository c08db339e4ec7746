// ponder tokenize, ponder detokenize.
#include "rl/commands/arguments.h"
#include "rl/commands/tool_commands.h"

namespace rl {
namespace {

void add_common(CLI::App* command, TokenizeOptions& options) {
  command->add_option("--model", options.model, "A model folder, a tokenizer.json or a GGUF file")->required()->type_name("PATH");
  command->add_option("--input", options.input, "The lines; stdin if left out")->type_name("FILE");
  command->add_option("--output", options.output, "Where lines go; stdout if left out")->type_name("FILE");
  command->add_option("--threads", options.threads, "CPU threads; 0: all cores")->capture_default_str();
}

}  // namespace

void add_tokenize(CLI::App& app, Command& command) {
  static TokenizeOptions there, back;
  auto* tokenize = app.add_subcommand("tokenize", "Text to token ids, line by line")
                       ->footer(
                           "Example:\n  echo \"one two\" | ponder tokenize --model models/smollm2-135m      # [537,827]\n"
                           "  ponder tokenize --model models/smollm2-135m --json --input texts.jsonl\n\n"
                           "Each line of UTF-8 text gives one JSON list of ids; the line break is no part of the text. With --json a\n"
                           "line is one JSON string, which may hold line breaks: \"two\\nlines\".");
  add_common(tokenize, there);
  tokenize->add_flag("--json", there.json, "Each line of the input is a JSON string");
  tokenize->add_flag("--special", there.special, "Add the tokens that the tokenizer puts around a text, such as <s> before it");
  tokenize->callback([&] { command = [&] { return run_tokenize(there); }; });

  auto* detokenize = app.add_subcommand("detokenize", "Token ids to text, line by line")
                         ->footer(
                             "Example:\n  echo \"[33, 1228, 33]\" | ponder detokenize --model models/smollm2-135m\n\n"
                             "Each line is a JSON list of ids. A text that has line breaks of its own takes several lines, unless\n"
                             "--json writes each as one JSON string (bytes that are no UTF-8 then become U+FFFD).");
  add_common(detokenize, back);
  detokenize->add_flag("--json", back.json, "Write each text as a JSON string");
  detokenize->add_flag("--skip-special", back.skip_special, "Leave special tokens out");
  detokenize->callback([&] { command = [&] { return run_detokenize(back); }; });
}

}  // namespace rl
