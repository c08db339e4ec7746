// Commands of few words: import, config, devices.
#include "rl/commands/arguments.h"
#include <fmt/core.h>

#include "model/gguf/gguf_import.h"
#include "rl/commands/output_folder.h"
#include "rl/config.h"

namespace rl {
namespace {

int print(const std::string& text) {
  fmt::print("{}", text);
  return 0;
}

}  // namespace

void add_small_commands(CLI::App& app, Command& command) {
  static std::string gguf, directory, dtype = "float32";
  static bool force = false;
  auto* import = app.add_subcommand("import", "Turn a GGUF file (llama, mistral, qwen2, qwen3) into a model folder")
                     ->footer(
                         "Example:\n  ponder import SmolLM2-135M.Q4_1.gguf models/smollm2-135m\n\n"
                         "Quantised weights become plain numbers: float32 keeps them exactly, bf16 takes half the room.\n"
                         "The tokenizer and the chat template come from the file. The folder appears whole or not at all.");
  import->add_option("FILE", gguf, "The GGUF file")->required();
  import->add_option("DIR", directory, "The folder to write; it must be new or empty")->required();
  import->add_option("--dtype", dtype, "What the weights are written in; norms stay float32")
      ->check(CLI::IsMember({"float32", "bf16"}))
      ->capture_default_str();
  import->add_flag("--force", force, "Replace a model folder that is there");
  import->callback([&] {
    command = [&] {
      check_output_folder(directory, force);
      return print(model::import_gguf(gguf, directory, kernels::parse_dtype(dtype)) + "\n");
    };
  });

  auto* config = app.add_subcommand("config", "Describe the settings file: a JSON Schema for editors, or a table")
                     ->footer(
                         "Example:\n  ponder config schema > ponder.schema.json\n\n"
                         "With the first line \"#:schema ./ponder.schema.json\" editors complete and check a settings file.");
  config->require_subcommand(1);
  config->add_subcommand("schema", "JSON Schema, draft 7")->callback([&] {
    command = [] { return print(config_schema_json()); };
  });
  config->add_subcommand("table", "Markdown table of every key")->callback([&] {
    command = [] { return print(config_table_markdown()); };
  });

  app.add_subcommand("devices", "Show processor, kernels, threads and memory")->callback([&] { command = run_devices; });
}

}  // namespace rl
