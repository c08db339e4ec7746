// ponder data.
#include "rl/commands/arguments.h"
#include "rl/config.h"

namespace rl {

void add_data(CLI::App& app, Command& command) {
  static ContaminationOptions mixed;
  static IdentityOptions claims;
  static MixOptions mix;
  static std::string config;
  static std::vector<std::string> overrides;
  auto* data = app.add_subcommand("data", "Look into data: what a run draws from, test problems in a file, claims to be another assistant");
  data->require_subcommand(1);

  auto* contamination =
      data->add_subcommand("contamination", "Problems of a training set that stand in test sets: exact, normalised, 13 words in a row")
          ->footer(
              "Example:\n  ponder data contamination my_problems.jsonl gsm8k my_test.jsonl\n\n"
              "Normalised: letters and digits alone, in lower case; exact matches included. 13 words: further problems that share 13\n"
              "words in a row. Ends with 1 if any problem matches exactly or normalised.");
  contamination->add_option("TRAIN", mixed.train, "The training set: JSONL, or a JSON list")->required();
  contamination->add_option("TEST", mixed.tests, "Test sets: files, or names of those in configs/data, such as gsm8k")->required();
  contamination->add_option("--train-key", mixed.train_key, "Key of the problem's text; question, problem, prompt, ... if left out");
  contamination->add_option("--test-key", mixed.test_key, "The same of the test sets");
  contamination->add_option("--examples", mixed.examples, "Matches shown of each test set")->capture_default_str()->check(CLI::NonNegativeNumber);
  contamination->add_flag("--json", mixed.json, "Print JSON");
  contamination->callback([&] { command = [&] { return run_data_contamination(mixed); }; });

  auto* identity = data->add_subcommand("identity", "Lines in which the model claims to be another vendor's assistant")
                       ->footer("Example:\n  ponder data identity sft.jsonl\n\nEnds with 1 if there are any.");
  identity->add_option("FILE", claims.files, "Data files: JSONL, or a JSON list")->required();
  identity->add_option("--key", claims.key, "Key of what the assistant says; every text that asks nothing, if left out");
  identity->add_option("--examples", claims.examples, "Claims shown of each file; --json shows all")->capture_default_str()->check(CLI::NonNegativeNumber);
  identity->add_flag("--json", claims.json, "Print JSON");
  identity->callback([&] { command = [&] { return run_data_identity(claims); }; });

  auto* shares = data->add_subcommand("mix", "The data sets of a settings file: rows, share of the draws, epochs, rewards")
                     ->footer(
                         "Example:\n  ponder data mix my_run.toml --draws 10\n\n"
                         "Counts what training takes; rows whose prompt is too long for data.max_prompt_tokens are still among them.");
  shares->add_option("CONFIG", config, "Settings of a run, a TOML file")->required();
  shares->add_option("--set", overrides, "Override a setting: --set dataset.code.weight=2; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  shares->add_option("--draws", mix.draws, "Show the first N problems that each stage draws")->check(CLI::NonNegativeNumber)->type_name("N");
  shares->add_flag("--json", mix.json, "Print JSON");
  shares->callback([&] { command = [&] { return run_data_mix(read_config(config, overrides), mix); }; });
}

}  // namespace rl
