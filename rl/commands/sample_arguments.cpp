// ponder sample, and the options that all commands with a model share.
#include "rl/commands/arguments.h"
#include "rl/commands/export_source.h"

namespace rl {

void add_base_option(CLI::App* app, std::string& base) {
  app->add_option("--base", base, "Where --model is an adapter: the model folder that it stands on, instead of the one that it names")
      ->type_name("DIR");
}

CLI::Option* add_model_options(CLI::App* app, ModelOptions& options, std::string& dtype) {
  auto* folder = app->add_option("--model", options.model,
                                 "A Hugging Face folder, a LoRA adapter's, or a run: then its final/, or its newest checkpoint")
                     ->required()
                     ->type_name("DIR");
  app->add_flag("--best", options.best, "Of a run: the model of its best evaluation (checkpoint.keep_best)");
  add_base_option(app, options.base);
  app->add_option("--template", options.chat_template.style,
                  "model (the chat template of the model's folder; model:NAME for one of several), chatml, llama3, deepseek-r1, r1-zero "
                  "or plain. Left out: model if the folder has one, else chatml when the tokenizer has its tokens, else plain")
      ->type_name("NAME");
  app->add_option("--system", options.chat_template.system, "System message of a chat template")->type_name("TEXT");
  app->add_option("--template-option", options.chat_template.options, "A variable for the chat template, such as enable_thinking=false; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  app->add_option("--dtype", dtype, "bf16 or float32")->capture_default_str();
  app->add_option("--threads", options.threads, "CPU threads; 0: all cores")->capture_default_str();
  app->add_option("--memory-mb", options.memory_mb, "Memory budget; 0: 80 % of the machine's")->capture_default_str();
  return folder;
}

void add_sample(CLI::App& app, Command& command) {
  static SampleOptions options;
  static std::string dtype = "bf16";
  auto* sample = app.add_subcommand("sample", "Print what a model answers to a prompt")
                     ->footer(
                         "Example:\n  ponder sample --model runs/quickstart/final --prompt \"3+9+1+7+4=\" --template plain "
                         "--temperature 0");
  options.chat_template.style = "";
  add_model_options(sample, options, dtype);
  sample->add_option("--prompt", options.prompts, "The question; may be repeated")
      ->required()
      ->type_name("TEXT")
      ->allow_extra_args(false);
  sample->add_option("--samples", options.samples, "Completions of each prompt")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  sample->add_option("--temperature", options.temperature, "0: greedy")->capture_default_str()->check(CLI::NonNegativeNumber);
  sample->add_option("--top-p", options.top_p, "Keep the fewest tokens with this much mass")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  sample->add_option("--top-k", options.top_k, "Keep the k likeliest tokens; 0: all")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  sample->add_option("--max-new-tokens", options.max_new_tokens, "Longest completion")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  sample->add_option("--stop", options.stop, "A text that ends a completion; may be repeated")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  sample->add_option("--seed", options.seed, "Equal seeds give equal samples")->capture_default_str();
  sample->callback([&] {
    command = [&] {
      options.dtype = kernels::parse_dtype(dtype);
      options.model = find_model(options.model, options.best).model;
      return run_sample(options);
    };
  });
}

}  // namespace rl
