// ponder inspect.
#include "rl/commands/arguments.h"
#include "rl/commands/tool_commands.h"

namespace rl {

void add_inspect(CLI::App& app, Command& command) {
  static InspectOptions options;
  auto* inspect = app.add_subcommand("inspect", "What a model is: its parts, sizes and files, and the memory that it would take")
                      ->footer(
                          "Example:\n  ponder inspect models/smollm2-135m\n  ponder inspect models/smollm2-135m --json | jq .parameters\n\n"
                          "Loads no weights, so it takes a second for a model of any size; a folder with nothing but config.json is\n"
                          "enough for all but the files. Memory is planned as `ponder train` plans it, and compared with --memory-mb.");
  inspect->add_option("PATH", options.model, "A model folder, or a GGUF file")->required();
  inspect->add_flag("--json", options.json, "Print JSON; sizes in bytes");
  inspect->add_option("--memory-mb", options.memory_mb, "Memory that there is; 0: 80 % of the machine's")->capture_default_str();
  inspect->callback([&] { command = [&] { return run_inspect(options); }; });
}

}  // namespace rl
