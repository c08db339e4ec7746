// argv -> one command of rl/commands/commands.h. Exit codes: 0, 1 failure, 2 usage, 130 interrupt.
#include <fmt/core.h>
#include <malloc.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>

#include "kernels/error.h"
#include "reward/reward.h"
#include "rl/commands/arguments.h"
#include "rl/config/nearest_name.h"
#include "rl/report/forgiving_stream.h"

namespace {

constexpr const char* overview =
    "Ponder trains language models to reason: it samples chains of thought, scores them with rules and learns from them.\n\n"
    "Start with\n"
    "  ponder train configs/quickstart.toml      a small model learns to work step by step, within minutes\n"
    "  ponder check my_run.toml                  finds the mistakes of a settings file before anything is computed\n"
    "  ponder COMMAND --help                     what a command takes, with an example";

int report(const std::exception& error, int code) {
  fmt::print(stderr, "{}\n", error.what());
  return code;
}

// CLI11's reason and where to read on, in one line.
std::string usage_message(const CLI::App* app, const CLI::Error& error) {
  std::string name = app->get_name();
  for (const auto* command : app->get_subcommands()) name += " " + command->get_name();
  return fmt::format("{0}: {1}. `{0} --help` says what it takes.\n", name, error.what());
}

// CLI11 calls a mistyped command a missing one. Empty when argv names a command or an option.
std::string unknown_command(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return "";
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) names.push_back(command->get_name());
  if (std::find(names.begin(), names.end(), argv[1]) != names.end()) return "";
  const std::string near = rl::nearest_name(argv[1], names);
  return fmt::format("ponder: \"{}\" is no command.{} `ponder --help` lists them.\n", argv[1],
                     near.empty() ? "" : " Did you mean " + near + "?");
}

// glibc gives large blocks back to the kernel when they are freed; each step would take them again, page by page.
void keep_freed_memory() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

}  // namespace

int main(int argc, char** argv) {
  keep_freed_memory();
  rl::forgive_failed_writes(stderr, STDERR_FILENO, _IONBF);
  CLI::App app{overview, "ponder"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "ponder " PONDER_VERSION);
  app.failure_message(usage_message);
  rl::Command command;
  rl::add_train(app, command);
  rl::add_check(app, command);
  rl::add_eval(app, command);
  rl::add_sample(app, command);
  rl::add_sandbox(app, command);
  rl::add_score(app, command);
  rl::add_reward(app, command);
  rl::add_library_host(app, command);
  rl::add_data(app, command);
  rl::add_tokenizer(app, command);
  rl::add_export(app, command);
  rl::add_init(app, command);
  rl::add_logprobs(app, command);
  rl::add_tokenize(app, command);
  rl::add_inspect(app, command);
  rl::add_upcycle(app, command);
  rl::add_view(app, command);
  rl::add_rescore(app, command);
  rl::add_replay(app, command);
  rl::add_compare(app, command);
  rl::add_small_commands(app, command);

  if (const std::string message = unknown_command(app, argc, argv); !message.empty()) {
    fmt::print(stderr, "{}", message);
    return 2;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    return command();
  } catch (const kernels::UsageError& error) {
    return report(error, 2);
  } catch (const reward::Error& error) {
    return report(error, 2);
  } catch (const std::exception& error) {
    return report(error, 1);
  }
}
