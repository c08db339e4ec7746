// ponder init.
#include "rl/commands/arguments.h"

namespace rl {

void add_init(CLI::App& app, Command& command) {
  static std::string sizes, directory;
  static std::vector<std::string> overrides;
  auto* init = app.add_subcommand("init", "Make a model folder with random weights, of any family")
                   ->footer(
                       "Example:\n"
                       "  ponder init configs/init_qwen3_small.toml models/small\n"
                       "  ponder init configs/init_qwen3_small.toml models/other --set model.family=llama --set run.seed=1\n\n"
                       "The file has the [model] keys of a training file that has init = \"random\" (such a file serves too), run.seed,\n"
                       "and in model.compute_dtype the type of the weights. The tokenizer is model.alphabet's, one token a character;\n"
                       "or that of [tokenizer] path; or one trained on [tokenizer] text. Equal files make equal folders.");
  init->add_option("SIZES", sizes, "A TOML file")->required();
  init->add_option("DIR", directory, "The folder to write; it must be new or empty")->required();
  init->add_option("--set", overrides, "Override a setting: section.key=value; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  init->callback([&] { command = [&] { return run_init(sizes, directory, overrides); }; });
}

}  // namespace rl
