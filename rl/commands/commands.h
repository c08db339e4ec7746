// What the program can be told to do. main.cpp reads the command line; each command is a function here.
//
// All return an exit code: 0 done, 1 it failed, 2 the user's input is wrong, 130 interrupted (the step was finished and
// saved). Errors may also be thrown: kernels::UsageError and reward::Error become 2, other exceptions 1.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/dtype.h"
#include "model/chat/chat_template.h"
#include "model/tokenizer/bpe_trainer.h"
#include "reward/sandbox/sandbox.h"
#include "rl/config.h"

namespace rl {

struct TrainOptions {
  bool trace = false;
  std::string trace_file;     // empty: trace.json in the run's folder
};

struct ModelOptions {
  std::string model, base;              // a model folder, an adapter's or a run; base: of an adapter, empty: as it says
  bool best = false;                    // of a run: checkpoints/best
  model::TemplateConfig chat_template;  // style empty: as LoadedModel
  kernels::Dtype dtype = kernels::Dtype::bf16;
  int64_t threads = 0, memory_mb = 0;
};

struct EvalOptions : ModelOptions {     // chat_template.style empty: the suite's
  std::vector<std::string> suites;  // by name (configs/suites); or
  std::string data;                 // a JSONL file, a JSON list or a generator; with one suite: where its problems are
  std::string prompt_key = "question", answer_key = "answer", prompt;  // of `data` without a suite; prompt: a template, {{key}}
  std::string reward;                       // empty: the suite's; math for `data`
  std::vector<std::string> reward_options;  // KEY=VALUE, beside or instead of the suite's
  std::vector<std::string> stop;            // beside the suite's
  int64_t limit = 0;                // problems; 0: all
  int64_t samples = 1;
  std::vector<int64_t> pass_at;     // beside the powers of two
  double temperature = -1.0;        // below 0: 0 (greedy) for one sample, 0.6 for more
  double top_p = 1.0;
  int64_t top_k = 0;
  int64_t max_new_tokens = 0;       // 0: the suite's
  int64_t seed = 0;
  std::string output_dir;           // default: runs/eval/<model>-<suites>
  std::string version;              // of the program, for the result files
};

struct SampleOptions : ModelOptions {
  std::vector<std::string> prompts;
  int64_t samples = 1;
  double temperature = 1.0;
  double top_p = 1.0;
  int64_t top_k = 0;
  int64_t max_new_tokens = 256;
  int64_t seed = 0;
  std::vector<std::string> stop;
};

struct SandboxOptions {
  bool probe = false;                  // print the walls; so does no file
  std::string file, input;             // a .py or .cpp to run, and a file for its stdin
  std::vector<std::string> arguments;  // of the program
  std::vector<std::string> allow_missing;
  reward::sandbox::Limits limits;
};

// Scores the lines of a JSONL file: {"prediction": text, "gold": text, list or object, "prompt"?, "id"?}.
struct ScoreOptions {
  std::string reward;         // a built-in by name, or a TOML file with [[reward]] entries
  std::string input, output;  // output empty: stdout
  std::string profile;        // option `profile` of the reward; empty: its own
};

struct ContaminationOptions {
  std::string train;
  std::vector<std::string> tests;  // files, or names of sets that ship, such as gsm8k
  std::string train_key, test_key; // of the problem's text; empty: found out
  int64_t examples = 10;           // matches shown of each test set
  bool json = false;
};

struct IdentityOptions {
  std::vector<std::string> files;
  std::string key;                 // of what the assistant says; empty: everything that does not ask
  int64_t examples = 20;           // claims shown of each file; --json has all
  bool json = false;
};

struct MixOptions {
  int64_t draws = 0;               // first draws of each stage to print
  bool json = false;
};

// Makes a byte-level BPE tokenizer from files of text.
struct TokenizerTrainOptions {
  std::vector<std::string> texts;  // files; .jsonl ones give the texts under `key`
  std::string key;
  std::string output;              // folder
  model::BpeTraining training;
};

struct ExportOptions {
  std::string model, out;          // model: a model folder, an adapter or a run
  std::string base = {};           // of an adapter; empty: as it says
  std::string dtype = "as-is";     // bf16 | float32 | as-is
  std::string run = {};            // of the model card; empty: the one that the model lies in, if any
  int64_t shard_mb = 5000;         // decimal megabytes
  bool best = false;               // of a run: checkpoints/best
  bool force = false;
};

struct ViewOptions {
  std::string run, stage;          // stage empty: the last one that has the step
  int64_t step = 0;                // 0: the last one with samples
  int64_t prompt = 1, sample = 1;  // from 1
  bool table = false, list = false;
};

struct RescoreOptions {
  std::string run, stage, reward, profile;
  int64_t step = 0;                // 0: all
  int64_t examples = 10;           // changed samples shown
  std::string output;              // JSON lines; empty: none
};

struct ReplayOptions {
  std::string run, stage;          // stage empty: the last one that has the step
  int64_t step = 0;
  std::vector<std::string> overrides;  // --set, of the sections that the update reads
};

int run_train(const Config& config, const TrainOptions& options = {});
int run_check(const Config& config);
int run_eval(const EvalOptions& options);
int run_eval_suites();  // prints the suites and whether their data is here
int run_eval_compare(const std::string& folder_a, const std::string& folder_b);
int run_sample(const SampleOptions& options);
int run_data_contamination(const ContaminationOptions& options);  // 1: a training row is a test problem, exact or normalised
int run_data_identity(const IdentityOptions& options);            // 1: there are claims
int run_data_mix(const Config& config, const MixOptions& options);
int run_sandbox(const SandboxOptions& options);  // 1 too when the program's verdict is not ok
int run_score(const ScoreOptions& options);
int run_reward_list();  // prints the built-in rewards and their options
int run_conformance(const std::vector<std::string>& command);  // 1: a check failed
int run_attack(const std::string& reward);                     // 1: junk earned a positive score
int run_tokenizer_train(const TokenizerTrainOptions& options);
int run_export(const ExportOptions& options);
int run_init(const std::string& sizes_file, const std::string& directory, const std::vector<std::string>& overrides);
int run_view(const ViewOptions& options);
int run_rescore(const RescoreOptions& options);
int run_replay(const ReplayOptions& options);  // 1: with the run's own settings, and another state came out
int run_compare(const std::string& run_a, const std::string& run_b);  // 1: they differ
int run_devices();  // prints the processor, the kernels in use, threads and memory

}  // namespace rl
