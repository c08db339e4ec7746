// ponder logprobs.
#include "rl/commands/arguments.h"
#include "rl/commands/tool_commands.h"

namespace rl {

void add_logprobs(CLI::App& app, Command& command) {
  static LogprobsOptions options;
  static std::string dtype = "float32";
  auto* logprobs =
      app.add_subcommand("logprobs", "Log-probabilities and perplexity of given texts or tokens, as training computes them")
          ->footer(
              "Example:\n  ponder logprobs --model models/smollm2-135m --input texts.jsonl --output scored.jsonl --top 5\n\n"
              "A line of the input is {\"text\": \"1+1=2\"} or {\"tokens\": [33, 1228, 33]}, with an \"id\" of yours if you like.\n"
              "A line of the output has \"tokens\" and \"logprobs\", one a token, in nats: log pi(token | tokens before it). The first\n"
              "is null: nothing is before it. With --top K, \"top\" has the K likeliest [id, log-probability] at each place.\n"
              "Text is tokenised as it is, without a chat template; with --special the tokenizer adds its tokens around it.\n"
              "Many lines share a batch; no bit of a result depends on it. Mean and perplexity are printed at the end.");
  logprobs->add_option("--model", options.model, "A Hugging Face folder, the final/ folder of a run, or a LoRA adapter's")
      ->required()
      ->type_name("DIR");
  add_base_option(logprobs, options.base);
  logprobs->add_option("--input", options.input, "The lines to score")->required()->type_name("FILE");
  logprobs->add_option("--output", options.output, "Where the lines go; stdout if left out")->type_name("FILE");
  logprobs->add_option("--top", options.top, "Likeliest tokens of each place; 0: none")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  logprobs->add_flag("--special", options.special, "Add the tokens that the tokenizer puts around a text, such as <s> before it");
  logprobs->add_option("--temperature", options.temperature, "Divides the logits; at 1 the model as it is")
      ->capture_default_str()
      ->check(CLI::Range(0.001, 1000.0));
  logprobs->add_option("--dtype", dtype, "float32, or bf16: half the memory, faster, what training uses unless told otherwise")
      ->capture_default_str();
  logprobs->add_option("--threads", options.threads, "CPU threads; 0: all cores")->capture_default_str();
  logprobs->add_option("--memory-mb", options.memory_mb, "Memory budget; 0: 80 % of the machine's")->capture_default_str();
  logprobs->callback([&] {
    command = [&] {
      options.dtype = kernels::parse_dtype(dtype);
      return run_logprobs(options);
    };
  });
}

}  // namespace rl
