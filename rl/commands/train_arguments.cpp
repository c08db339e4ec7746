// ponder train and ponder check.
#include "rl/commands/arguments.h"
#include <fmt/core.h>

#include "rl/config.h"

namespace rl {
namespace {

int print(const std::string& text) {
  fmt::print("{}", text);
  return 0;
}

void add_overrides(CLI::App* app, std::string& config, std::vector<std::string>& overrides) {
  app->add_option("CONFIG", config, "Settings of the run, a TOML file")->required();
  app->add_option("--set", overrides,
                  "Override a setting: --set rollout.temperature=0.8, --set stage.sft.steps=50; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

}  // namespace

void add_train(CLI::App& app, Command& command) {
  static std::string config, resume;
  static std::vector<std::string> overrides;
  static bool shows_settings = false;
  static TrainOptions options;
  auto* train = app.add_subcommand("train", "Train a model: every stage of the settings file, one after the other")
                    ->footer(
                        "Example:\n  ponder train configs/quickstart.toml --set run.seed=1\n  ponder train "
                        "configs/quickstart.toml --resume auto\n  ponder train configs/quickstart.toml --trace steps.json\n"
                        "  ponder train my_run.toml --set preset=dapo --print-config\n\n"
                        "Ctrl-C finishes the step, saves and ends with 130; --resume auto goes on from there.");
  add_overrides(train, config, overrides);
  train
      ->add_option("--resume", resume,
                   "auto: go on from the newest checkpoint of the run's folder, if any; or a checkpoint folder")
      ->type_name("auto|DIR");
  auto* trace = train
                    ->add_option("--trace", options.trace_file,
                                 "Write where the time goes as a Chrome trace, for chrome://tracing and ui.perfetto.dev; trace.json in the "
                                 "run's folder when FILE is left out")
                    ->type_name("[FILE]")
                    ->expected(0, 1)
                    ->check([](const std::string& file) {
                      return file.ends_with(".toml") ? "takes a file to write; put the settings file before it" : std::string();
                    });
  train->add_flag("--print-config", shows_settings, "Print every setting, its value and where it came from, and end");
  train->callback([&, trace] {
    options.trace = trace->count() > 0;
    if (!resume.empty()) overrides.push_back("checkpoint.resume=" + resume);
    command = [&] {
      return shows_settings ? print(print_config(config, overrides))
                               : run_train(read_config(config, overrides), options);
    };
  });
}

void add_check(CLI::App& app, Command& command) {
  static std::string config;
  static std::vector<std::string> overrides;
  auto* check =
      app.add_subcommand("check", "Find every mistake of a settings file in seconds, without loading weights")
          ->footer(
              "Example:\n  ponder check configs/gsm8k_smollm2.toml\n\n"
              "Looks at keys, ranges and conflicts, every data line, rewards, template and tokenizer, and the memory plan.");
  add_overrides(check, config, overrides);
  check->callback([&] { command = [&] { return run_check(read_config(config, overrides)); }; });
}

}  // namespace rl
