// argv -> one command of rl/commands.h. Exit codes: 0, 1 failure, 2 usage, 130 interrupt.
#include <fmt/core.h>
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <functional>

#include "kernels/error.h"
#include "model/checkpoint_folder.h"
#include "reward/plugins/plugins.h"
#include "rl/commands.h"
#include "rl/config.h"
#include "rl/nearest_name.h"

namespace {

using Command = std::function<int()>;

constexpr const char* overview =
    "Ponder trains language models to reason: it samples chains of thought, scores them with rules and learns from them.\n\n"
    "Start with\n"
    "  ponder train configs/quickstart.toml      a small model learns to work step by step, within minutes\n"
    "  ponder check my_run.toml                  finds the mistakes of a settings file before anything is computed\n"
    "  ponder COMMAND --help                     what a command takes, with an example";

struct Arguments {
  std::string config, gguf, directory, dtype = "bf16", resume, format;
  std::string folders[2];
  std::vector<std::string> overrides;
  bool print_config = false;
  rl::TrainOptions train;
  rl::EvalOptions eval;
  rl::SampleOptions sample;
  rl::SandboxOptions sandbox;
  rl::ScoreOptions score;
  std::vector<std::string> plugin;
  std::string library;
  rl::ContaminationOptions contamination;
  rl::IdentityOptions identity;
};

int print(const std::string& text) {
  fmt::print("{}", text);
  return 0;
}

void add_overrides(CLI::App* app, Arguments& args) {
  app->add_option("CONFIG", args.config, "Settings of the run, a TOML file")->required();
  app->add_option("--set", args.overrides,
                  "Override a setting: --set rollout.temperature=0.8, --set stage.sft.steps=50; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

CLI::Option* add_model_options(CLI::App* app, Arguments& args, std::string& model, model::TemplateConfig& style, int64_t& threads,
                               int64_t& memory_mb) {
  auto* folder = app->add_option("--model", model, "A Hugging Face folder, or the final/ folder of a run")->required()->type_name("DIR");
  app->add_option("--template", style.style, "plain, r1-zero or chatml; chatml when the tokenizer has its tokens, if left out");
  app->add_option("--system", style.system, "System message of the chatml template");
  app->add_option("--dtype", args.dtype, "bf16 or float32")->capture_default_str();
  app->add_option("--threads", threads, "CPU threads; 0: all cores")->capture_default_str();
  app->add_option("--memory-mb", memory_mb, "Memory budget; 0: 80 % of the machine's")->capture_default_str();
  return folder;
}

void add_train(CLI::App& app, Arguments& args, Command& command) {
  auto* train = app.add_subcommand("train", "Train a model: every stage of the settings file, one after the other")
                    ->footer(
                        "Example:\n  ponder train configs/quickstart.toml --set run.seed=1\n  ponder train "
                        "configs/quickstart.toml --resume auto\n  ponder train configs/quickstart.toml --trace steps.json\n\n"
                        "Ctrl-C finishes the step, saves and ends with 130; --resume auto goes on from there.");
  add_overrides(train, args);
  train
      ->add_option("--resume", args.resume,
                   "auto: go on from the newest checkpoint of the run's folder, if any; or a checkpoint folder")
      ->type_name("auto|DIR");
  auto* trace = train
                    ->add_option("--trace", args.train.trace_file,
                                 "Write where the time goes as a Chrome trace, for chrome://tracing and ui.perfetto.dev; trace.json in the "
                                 "run's folder when FILE is left out")
                    ->type_name("[FILE]")
                    ->expected(0, 1)
                    ->check([](const std::string& file) {
                      return file.ends_with(".toml") ? "takes a file to write; put the settings file before it" : std::string();
                    });
  train->add_flag("--print-config", args.print_config, "Print every setting, its value and where it came from, and end");
  train->callback([&, trace] {
    args.train.trace = trace->count() > 0;
    if (!args.resume.empty()) args.overrides.push_back("checkpoint.resume=" + args.resume);
    command = [&] {
      return args.print_config ? print(rl::print_config(args.config, args.overrides))
                               : rl::run_train(rl::read_config(args.config, args.overrides), args.train);
    };
  });
}

void add_check(CLI::App& app, Arguments& args, Command& command) {
  auto* check =
      app.add_subcommand("check", "Find every mistake of a settings file in seconds, without loading weights")
          ->footer(
              "Example:\n  ponder check configs/gsm8k_smollm2.toml\n\n"
              "Looks at keys, ranges and conflicts, every data line, rewards, template and tokenizer, and the memory plan.");
  add_overrides(check, args);
  check->callback([&] { command = [&] { return rl::run_check(rl::read_config(args.config, args.overrides)); }; });
}

void add_eval(CLI::App& app, Arguments& args, Command& command) {
  auto& options = args.eval;
  auto* eval = app.add_subcommand("eval", "Measure how often a model is right on sets of problems; compare two measurements")
                   ->footer(
                       "Example:\n  ponder eval --model models/smollm2-135m --suite gsm8k,math500 --limit 200 --samples 4 "
                       "--temperature 0.6\n"
                       "  ponder eval --model runs/mine/final --data my.jsonl --prompt-key problem --answer-key answer\n"
                       "  ponder eval compare runs/eval/smollm2-135m-gsm8k runs/eval/mine-gsm8k\n\n"
                       "A stopped evaluation goes on when the same command is given again.");
  options.chat_template.style = "";
  add_model_options(eval, args, options.model, options.chat_template, options.threads, options.memory_mb)->required(false);
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
  suites->callback([&] { command = rl::run_eval_suites; });
  auto* compare = eval->add_subcommand("compare", "Compare two result folders problem by problem");
  compare->add_option("A", args.folders[0], "Result folder of one evaluation")->required();
  compare->add_option("B", args.folders[1], "and of the other")->required();
  compare->callback([&] { command = [&] { return rl::run_eval_compare(args.folders[0], args.folders[1]); }; });
  eval->callback([&, eval] {
    if (!eval->get_subcommands().empty()) return;
    command = [&] {
      if (options.model.empty())
        kernels::fail_usage("eval: no model. Give --model DIR, a Hugging Face folder or the final/ folder of a run.");
      options.dtype = kernels::parse_dtype(args.dtype);
      options.version = PONDER_VERSION;
      return rl::run_eval(options);
    };
  });
}

void add_sample(CLI::App& app, Arguments& args, Command& command) {
  auto& options = args.sample;
  auto* sample = app.add_subcommand("sample", "Print what a model answers to a prompt")
                     ->footer(
                         "Example:\n  ponder sample --model runs/quickstart/final --prompt \"3+9+1+7+4=\" --template plain "
                         "--temperature 0");
  options.chat_template.style = "";
  add_model_options(sample, args, options.model, options.chat_template, options.threads, options.memory_mb);
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
      options.dtype = kernels::parse_dtype(args.dtype);
      return rl::run_sample(options);
    };
  });
}

void add_sandbox(CLI::App& app, Arguments& args, Command& command) {
  auto& options = args.sandbox;
  auto* sandbox = app.add_subcommand("sandbox", "Show the walls around programs that nobody trusts, or run one behind them")
                      ->footer("Example:\n  ponder sandbox --probe\n  ponder sandbox run guess.py --input numbers.txt --wall 2");
  sandbox->add_flag("--probe", options.probe, "Try each wall and print which stand; so does `ponder sandbox` alone");
  sandbox->add_option("--allow-missing", options.allow_missing, "Do without this needed wall; may be repeated")
      ->type_name("WALL")
      ->allow_extra_args(false);
  sandbox->require_subcommand(0, 1);
  sandbox->callback([&, sandbox] {
    if (sandbox->get_subcommands().empty()) command = [&] { return rl::run_sandbox(options); };
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
  run->callback([&] { command = [&] { return rl::run_sandbox(options); }; });
}

void add_data(CLI::App& app, Arguments& args, Command& command) {
  auto* data = app.add_subcommand("data", "Look for what a data file should not hold: test problems, claims to be another assistant");
  data->require_subcommand(1);

  auto& mixed = args.contamination;
  auto* contamination =
      data->add_subcommand("contamination", "Problems of a training set that stand in test sets: exact, normalised, 13 words in a row")
          ->footer(
              "Example:\n  ponder data contamination my_problems.jsonl gsm8k my_test.jsonl\n\n"
              "Normalised: letters and digits alone, in lower case; exact matches included. 13 words: further problems that share 13\n"
              "words in a row. Ends with 1 if any problem matches exactly or normalised.");
  contamination->add_option("TRAIN", mixed.train, "The training set: JSONL, or a JSON list")->required();
  contamination->add_option("TEST", mixed.tests, "Test sets: files, or names of those in configs/data, such as gsm8k")->required();
  contamination->add_option("--train-key", mixed.train_key, "Key of the problem's text; question, problem, prompt, ... if left out");
  contamination->add_option("--test-key", mixed.test_key, "The same of the test sets");
  contamination->add_option("--examples", mixed.examples, "Matches shown of each test set")->capture_default_str()->check(CLI::NonNegativeNumber);
  contamination->add_flag("--json", mixed.json, "Print JSON");
  contamination->callback([&] { command = [&] { return rl::run_data_contamination(mixed); }; });

  auto& claims = args.identity;
  auto* identity = data->add_subcommand("identity", "Lines in which the model claims to be another vendor's assistant")
                       ->footer("Example:\n  ponder data identity sft.jsonl\n\nEnds with 1 if there are any.");
  identity->add_option("FILE", claims.files, "Data files: JSONL, or a JSON list")->required();
  identity->add_option("--key", claims.key, "Key of what the assistant says; every text that asks nothing, if left out");
  identity->add_option("--examples", claims.examples, "Claims shown of each file; --json shows all")->capture_default_str()->check(CLI::NonNegativeNumber);
  identity->add_flag("--json", claims.json, "Print JSON");
  identity->callback([&] { command = [&] { return rl::run_data_identity(claims); }; });
}

void add_small_commands(CLI::App& app, Arguments& args, Command& command) {
  auto* import = app.add_subcommand("import", "Turn a GGUF file of the llama family into a model folder")
                     ->footer("Example:\n  ponder import SmolLM2-135M.Q4_1.gguf models/smollm2-135m");
  import->add_option("FILE", args.gguf, "The GGUF file")->required();
  import->add_option("DIR", args.directory, "The folder to write")->required();
  import->callback([&] {
    command = [&] { return print(model::import_gguf(args.gguf, args.directory) + "\n"); };
  });

  auto* config = app.add_subcommand("config", "Describe the settings file: a JSON Schema for editors, or a table")
                     ->footer(
                         "Example:\n  ponder config schema > ponder.schema.json\n\n"
                         "With the first line \"#:schema ./ponder.schema.json\" editors complete and check a settings file.");
  config->require_subcommand(1);
  config->add_subcommand("schema", "JSON Schema, draft 7")->callback([&] {
    command = [] { return print(rl::config_schema_json()); };
  });
  config->add_subcommand("table", "Markdown table of every key")->callback([&] {
    command = [] { return print(rl::config_table_markdown()); };
  });

  app.add_subcommand("devices", "Show processor, kernels, threads and memory")->callback([&] { command = rl::run_devices; });
}

void add_score(CLI::App& app, Arguments& args, Command& command) {
  auto& options = args.score;
  auto* score = app.add_subcommand("score", "Score the lines of a JSONL file with a reward")
                    ->footer(
                        "Example:\n  ponder score --reward math --input answers.jsonl --output scores.jsonl\n\n"
                        "A line in is {\"prediction\": text, \"gold\": text, list or object, \"prompt\"?, \"id\"?}; a line out is "
                        "{\"id\", \"value\",\n\"status\", \"reason\", \"extracted\", \"components\", \"detail\"}, in the same order: "
                        "`reason` is a fixed word for counting,\n`detail` is for people, a `value` of null means that nobody could "
                        "judge it. Each line is a group of its own.\nTime per call goes to stderr.");
  score->add_option("--reward", options.reward, "A built-in reward, or a TOML file with [[reward]] entries")
      ->required()
      ->type_name("NAME|FILE.toml");
  score->add_option("--input", options.input, "The lines to score")->required()->type_name("FILE");
  score->add_option("--profile", options.profile, "The reward's option `profile`: which conventions it follows")->type_name("NAME");
  score->add_option("--output", options.output, "Where the scores go; stdout when left out")->type_name("FILE");
  score->callback([&] { command = [&] { return rl::run_score(options); }; });
}

void add_reward(CLI::App& app, Arguments& args, Command& command) {
  auto* reward = app.add_subcommand("reward", "List the rewards, test a plug-in, or attack a reward");
  reward->require_subcommand(1);
  reward->add_subcommand("list", "The built-in rewards and their options")->callback([&] { command = rl::run_reward_list; });
  auto* conformance = reward->add_subcommand("conformance", "Test a program that is to be a reward of kind \"process\"")
                          ->footer("Example:\n  ponder reward conformance python3 configs/rewards/last_word.py");
  conformance->prefix_command();
  conformance->callback([&, conformance] {
    args.plugin = conformance->remaining();
    command = [&] {
      if (args.plugin.empty()) kernels::fail_usage("reward conformance: no program. Write it with its arguments, as in a shell.");
      return rl::run_conformance(args.plugin);
    };
  });
  auto* attack = reward->add_subcommand("attack", "Score junk that knows nothing of the gold, and show what of it is paid")
                     ->footer("Example:\n  ponder reward attack math");
  attack->add_option("REWARD", args.score.reward, "A built-in reward, or a TOML file with [[reward]] entries")
      ->required()
      ->type_name("NAME|FILE.toml");
  attack->callback([&] { command = [&] { return rl::run_attack(args.score.reward); }; });
}

// The child's side of a library with isolate = "process"; nobody types it.
void add_library_host(CLI::App& app, Arguments& args, Command& command) {
  auto* host = app.add_subcommand("library-host", "")->group("");
  host->add_option("FILE", args.library)->required();
  host->callback([&] { command = [&] { return reward::serve_library(args.library); }; });
}

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
  CLI::App app{overview, "ponder"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "ponder " PONDER_VERSION);
  app.failure_message(usage_message);
  Arguments args;
  Command command;
  add_train(app, args, command);
  add_check(app, args, command);
  add_eval(app, args, command);
  add_sample(app, args, command);
  add_sandbox(app, args, command);
  add_score(app, args, command);
  add_reward(app, args, command);
  add_library_host(app, args, command);
  add_data(app, args, command);
  add_small_commands(app, args, command);

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
