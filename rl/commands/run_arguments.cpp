// Commands that look at the folder of a run: view, rescore, replay, compare.
#include "rl/commands/arguments.h"

namespace rl {

void add_view(CLI::App& app, Command& command) {
  static ViewOptions options;
  auto* view = app.add_subcommand("view", "Browse the samples of a run: prompts, completions, rewards, advantages, log-probabilities")
                   ->footer(
                       "Example:\n  ponder train configs/quickstart.toml --set log.dump_rollouts_every=1\n  ponder view runs/quickstart\n"
                       "  ponder view runs/quickstart --step 12 --prompt 3 --tokens | less\n\n"
                       "In a terminal, keys move between samples, prompts and steps; elsewhere one page is printed.");
  view->add_option("RUN", options.run, "The folder of a run")->required();
  view->add_option("--step", options.step, "A step with samples; the last one if left out")->check(CLI::PositiveNumber);
  view->add_option("--stage", options.stage, "Of this stage")->type_name("NAME");
  view->add_option("--prompt", options.prompt, "Which prompt of the step, from 1")->capture_default_str();
  view->add_option("--sample", options.sample, "Which sample of the prompt, from 1")->capture_default_str();
  view->add_flag("--tokens", options.table, "A line a token: id, text, mask, log-probability, advantage");
  view->add_flag("--list", options.list, "List the steps with samples, and end");
  view->callback([&] { command = [&] { return run_view(options); }; });
}

void add_rescore(CLI::App& app, Command& command) {
  static RescoreOptions options;
  auto* rescore = app.add_subcommand("rescore", "Score the samples of a run again, with another reward")
                      ->footer(
                          "Example:\n  ponder rescore runs/mine --reward math\n"
                          "  ponder rescore runs/mine --reward my_rewards.toml --step 40 --output again.jsonl");
  rescore->add_option("RUN", options.run, "The folder of a run that wrote samples (log.dump_rollouts_every)")->required();
  rescore->add_option("--reward", options.reward, "A built-in reward, or a TOML file with [[reward]] entries")
      ->required()
      ->type_name("NAME|FILE.toml");
  rescore->add_option("--profile", options.profile, "The reward's option `profile`")->type_name("NAME");
  rescore->add_option("--step", options.step, "This step alone; all if left out")->check(CLI::PositiveNumber);
  rescore->add_option("--stage", options.stage, "This stage alone")->type_name("NAME");
  rescore->add_option("--examples", options.examples, "Changed samples to show")->capture_default_str()->check(CLI::NonNegativeNumber);
  rescore->add_option("--output", options.output, "Write both scores of each sample as JSON lines")->type_name("FILE");
  rescore->callback([&] { command = [&] { return run_rescore(options); }; });
}

void add_replay(CLI::App& app, Command& command) {
  static ReplayOptions options;
  auto* replay = app.add_subcommand("replay", "Train one step of a run again from its samples, as it was or with another loss")
                     ->footer(
                         "Example:\n  ponder train configs/quickstart.toml --set log.dump_rollouts_every=1 --set checkpoint.every_steps=1 \\\n"
                         "      --set checkpoint.keep_last=100\n"
                         "  ponder replay runs/quickstart --step 12\n"
                         "  ponder replay runs/quickstart --step 12 --set loss.clip_high=0.1 --set optimizer.lr=1e-3\n\n"
                         "Needs the step's samples and a checkpoint of the step before. Rewards stay as they were scored; advantages, loss,\n"
                         "gradient and update are computed again and stand beside the run's metrics. With the run's own settings the\n"
                         "weights come out as in the run, bit for bit; ends with 1 when they do not. Nothing is written.");
  replay->add_option("RUN", options.run, "The folder of a run")->required();
  replay->add_option("--step", options.step, "A step with samples")->required()->check(CLI::PositiveNumber);
  replay->add_option("--stage", options.stage, "Of this stage; the last one that has the step if left out")->type_name("NAME");
  replay->add_option("--set", options.overrides, "Another setting of the update, such as loss.clip_high=0.1; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  replay->callback([&] { command = [&] { return run_replay(options); }; });
}

void add_compare(CLI::App& app, Command& command) {
  static std::string runs[2];
  auto* compare = app.add_subcommand("compare", "Name the first step and the first tensor in which two runs differ")
                      ->footer(
                          "Example:\n  ponder compare runs/mine runs/mine.1\n\n"
                          "Ends with 0 when both have the same steps and all are equal, and with 1 when not.\n"
                          "`ponder eval compare` is for results of evaluations.");
  compare->add_option("RUN_A", runs[0], "The folder of a run")->required();
  compare->add_option("RUN_B", runs[1], "and of another")->required();
  compare->callback([&] { command = [&] { return run_compare(runs[0], runs[1]); }; });
}

}  // namespace rl
