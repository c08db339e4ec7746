// ponder export.
#include "rl/commands/arguments.h"

namespace rl {

void add_export(CLI::App& app, Command& command) {
  static ExportOptions options;
  auto* out = app.add_subcommand("export", "Write a model folder for transformers, vLLM and llama.cpp's converter; merge an adapter")
                  ->footer(
                      "Examples:\n"
                      "  ponder export runs/quickstart exported/quickstart              the result of a run, with its recipe\n"
                      "  ponder export models/smollm2-135m exported/half --dtype bf16   another type\n"
                      "  ponder export runs/sft exported/sft --best                     the best evaluation's model\n"
                      "  ponder export runs/long/checkpoints/step-000200 out --shard-mb 1000\n"
                      "  ponder export runs/lora/final merged --base models/smollm2-135m        a LoRA adapter, merged into its base\n\n"
                      "The tokenizer's files, the template and all other keys of config.json are those of the folder that the model\n"
                      "came from. README.md gets a model card: base model, data sets, licence as far as known, and of a run its\n"
                      "settings, seed and evaluations. The folder appears whole or not at all.");
  out->add_option("MODEL", options.model, "A model folder, a LoRA adapter, or a run: then its final/, or its newest checkpoint")
      ->required();
  out->add_option("OUT", options.out, "The folder to write; it must be new or empty")->required();
  out->add_option("--dtype", options.dtype,
                  "bf16 (norms and routers stay float32), float32, or as-is: as the tensors are; F64 becomes float32, FP8 bf16")
      ->capture_default_str()
      ->check(CLI::IsMember({"bf16", "float32", "as-is"}));
  out->add_option("--shard-mb", options.shard_mb, "Largest file of weights, in megabytes of 1,000,000 bytes")
      ->capture_default_str()
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 40));
  add_base_option(out, options.base);
  out->add_option("--run", options.run, "The run that the card tells of, where MODEL no longer lies in it")->type_name("DIR");
  out->add_flag("--best", options.best, "Of a run: the model of its best evaluation (checkpoint.keep_best), not the last one");
  out->add_flag("--force", options.force, "Replace a model folder that is there");
  out->callback([&] { command = [&] { return run_export(options); }; });
}

}  // namespace rl
