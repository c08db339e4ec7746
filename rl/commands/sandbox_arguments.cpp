// ponder sandbox.
#include "rl/commands/arguments.h"

namespace rl {

void add_sandbox(CLI::App& app, Command& command) {
  static SandboxOptions options;
  auto* sandbox = app.add_subcommand("sandbox", "Show the walls around programs that nobody trusts, or run one behind them")
                      ->footer("Example:\n  ponder sandbox --probe\n  ponder sandbox run guess.py --input numbers.txt --wall 2");
  sandbox->add_flag("--probe", options.probe, "Try each wall and print which stand; so does `ponder sandbox` alone");
  sandbox->add_option("--allow-missing", options.allow_missing, "Do without this needed wall; may be repeated")
      ->type_name("WALL")
      ->allow_extra_args(false);
  sandbox->require_subcommand(0, 1);
  sandbox->callback([&, sandbox] {
    if (sandbox->get_subcommands().empty()) command = [&] { return run_sandbox(options); };
  });
  auto* run = sandbox->add_subcommand("run", "Run a Python or C++ file; its output is printed, the verdict goes to stderr");
  run->add_option("FILE", options.file, "Ends with .py, .cpp or .cc")->required();
  run->add_option("ARGUMENTS", options.arguments, "Of the program");
  run->add_option("--input", options.input, "What the program reads from stdin")->type_name("FILE");
  auto& limits = options.limits;
  run->add_option("--wall", limits.wall_seconds, "Seconds of wall clock")->capture_default_str()->check(CLI::Range(0.01, 1e5));
  run->add_option("--cpu", limits.cpu_seconds, "Seconds of processor time")->capture_default_str()->check(CLI::Range(0.01, 1e5));
  run->add_option("--memory-mb", limits.memory_mb, "Of all its processes")->capture_default_str()->check(CLI::PositiveNumber);
  run->add_option("--processes", limits.processes, "Threads too")->capture_default_str()->check(CLI::PositiveNumber);
  run->add_option("--folder-mb", limits.work_folder_mb, "All that it writes")->capture_default_str()->check(CLI::PositiveNumber);
  run->add_option("--files", limits.files, "In its folder")->capture_default_str()->check(CLI::PositiveNumber);
  run->add_option("--output-bytes", limits.output_bytes, "Of stdout and stderr, each")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  run->callback([&] { command = [&] { return run_sandbox(options); }; });
}

}  // namespace rl
