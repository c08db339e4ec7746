// ponder eval.
#include "rl/commands/arguments.h"
#include "rl/commands/export_source.h"
#include "kernels/error.h"

namespace rl {

void add_eval(CLI::App& app, Command& command) {
  static EvalOptions options;
  static std::string dtype = "bf16", folders[2];
  auto* eval = app.add_subcommand("eval", "Measure how often a model is right on sets of problems; compare two measurements")
                   ->footer(
                       "Example:\n  ponder eval --model models/smollm2-135m --suite gsm8k,math500 --limit 200 --samples 4 "
                       "--temperature 0.6\n"
                       "  ponder eval --model runs/mine/final --data my.jsonl --prompt-key problem --answer-key answer\n"
                       "  ponder eval compare runs/eval/smollm2-135m-gsm8k runs/eval/mine-gsm8k\n\n"
                       "A stopped evaluation goes on when the same command is given again.");
  options.chat_template.style = "";
  add_model_options(eval, options, dtype)->required(false);
  eval->add_option("--suite", options.suites, "Known sets of problems; `ponder eval suites` lists them")
      ->type_name("NAME[,NAME]")
      ->delimiter(',');
  eval->add_option("--data", options.data,
                   "A JSONL file, a JSON list, or generator:arithmetic; with --suite: where that suite's problems are")
      ->type_name("FILE");
  eval->add_option("--prompt-key", options.prompt_key, "With --data alone: the key of the question")->capture_default_str();
  eval->add_option("--answer-key", options.answer_key, "With --data alone: the key of the true answer")->capture_default_str();
  eval->add_option("--prompt", options.prompt,
                   "How a problem is asked, such as \"{{question}} Think first.\", instead of the suite's way")
      ->type_name("TEXT");
  eval->add_option("--reward", options.reward, "The judge, instead of the suite's; math with --data alone")->type_name("NAME");
  eval->add_option("--reward-option", options.reward_options, "An option of the judge; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  eval->add_option("--stop", options.stop, "A text that ends a completion, beside the suite's; may be repeated")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  eval->add_option("--limit", options.limit, "Problems, from the first; 0: all")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  eval->add_option("--samples", options.samples, "Completions of each problem")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  eval->add_option("--pass-at", options.pass_at, "pass@k for these k too, beside 2, 4, 8, ...")
      ->delimiter(',')
      ->check(CLI::PositiveNumber);
  eval->add_option("--temperature", options.temperature, "0: greedy; left out: 0 for one sample, 0.6 for more")
      ->check(CLI::NonNegativeNumber);
  eval->add_option("--top-p", options.top_p, "Keep the fewest tokens with this much mass")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  eval->add_option("--top-k", options.top_k, "Keep the k likeliest tokens; 0: all")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  eval->add_option("--max-new-tokens", options.max_new_tokens, "Longest completion; the suite's when left out (512 for --data)")
      ->check(CLI::PositiveNumber);
  eval->add_option("--seed", options.seed, "Equal seeds give equal samples")->capture_default_str();
  eval->add_option("--output", options.output_dir, "Folder for the result files; runs/eval/MODEL-SUITES when left out")
      ->type_name("DIR");
  auto* suites = eval->add_subcommand("suites", "List the suites, and where to get their data");
  suites->callback([&] { command = run_eval_suites; });
  auto* compare = eval->add_subcommand("compare", "Compare two result folders problem by problem");
  compare->add_option("A", folders[0], "Result folder of one evaluation")->required();
  compare->add_option("B", folders[1], "and of the other")->required();
  compare->callback([&] { command = [&] { return run_eval_compare(folders[0], folders[1]); }; });
  eval->callback([&, eval] {
    if (!eval->get_subcommands().empty()) return;
    command = [&] {
      if (options.model.empty())
        kernels::fail_usage("eval: no model. Give --model DIR, a Hugging Face folder or the folder of a run.");
      options.model = find_model(options.model, options.best).model;
      options.dtype = kernels::parse_dtype(dtype);
      options.version = PONDER_VERSION;
      return run_eval(options);
    };
  });
}

}  // namespace rl
