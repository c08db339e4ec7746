// ponder score and ponder reward.
#include "rl/commands/arguments.h"
#include "kernels/error.h"
#include "reward/plugins/plugins.h"

namespace rl {

void add_score(CLI::App& app, Command& command) {
  static ScoreOptions options;
  auto* score = app.add_subcommand("score", "Score the lines of a JSONL file with a reward")
                    ->footer(
                        "Example:\n  ponder score --reward math --input answers.jsonl --output scores.jsonl\n\n"
                        "A line in is {\"prediction\": text, \"gold\": text, list or object, \"prompt\"?, \"id\"?}; a line out is "
                        "{\"id\", \"value\",\n\"status\", \"reason\", \"extracted\", \"components\", \"detail\"}, in the same order: "
                        "`reason` is a fixed word for counting,\n`detail` is for people, a `value` of null means that nobody could "
                        "judge it. Each line is a group of its own.\nTime per call goes to stderr.");
  score->add_option("--reward", options.reward, "A built-in reward, or a TOML file with [[reward]] entries")
      ->required()
      ->type_name("NAME|FILE.toml");
  score->add_option("--input", options.input, "The lines to score")->required()->type_name("FILE");
  score->add_option("--profile", options.profile, "The reward's option `profile`: which conventions it follows")->type_name("NAME");
  score->add_option("--output", options.output, "Where the scores go; stdout when left out")->type_name("FILE");
  score->callback([&] { command = [&] { return run_score(options); }; });
}

void add_reward(CLI::App& app, Command& command) {
  static std::vector<std::string> plugin;
  static std::string name;
  auto* reward = app.add_subcommand("reward", "List the rewards, test a plug-in, or attack a reward");
  reward->require_subcommand(1);
  reward->add_subcommand("list", "The built-in rewards and their options")->callback([&] { command = run_reward_list; });
  auto* conformance = reward->add_subcommand("conformance", "Test a program that is to be a reward of kind \"process\"")
                          ->footer("Example:\n  ponder reward conformance python3 configs/rewards/last_word.py");
  conformance->prefix_command();
  conformance->callback([&, conformance] {
    plugin = conformance->remaining();
    command = [&] {
      if (plugin.empty()) kernels::fail_usage("reward conformance: no program. Write it with its arguments, as in a shell.");
      return run_conformance(plugin);
    };
  });
  auto* attack = reward->add_subcommand("attack", "Score junk that knows nothing of the gold, and show what of it is paid")
                     ->footer("Example:\n  ponder reward attack math");
  attack->add_option("REWARD", name, "A built-in reward, or a TOML file with [[reward]] entries")
      ->required()
      ->type_name("NAME|FILE.toml");
  attack->callback([&] { command = [&] { return run_attack(name); }; });
}

// The child's side of a library with isolate = "process"; nobody types it.
void add_library_host(CLI::App& app, Command& command) {
  static std::string library;
  auto* host = app.add_subcommand("library-host", "")->group("");
  host->add_option("FILE", library)->required();
  host->callback([&] { command = [&] { return reward::serve_library(library); }; });
}

}  // namespace rl
