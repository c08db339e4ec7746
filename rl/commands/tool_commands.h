// Tools for a model folder: score texts, tokenise, look inside, make experts of a dense model. They return exit codes as
// the commands of commands.h do.
#pragma once

#include <cstdint>
#include <string>

#include "kernels/dtype.h"
#include "model/upcycle.h"

namespace rl {

// Log-probabilities of the lines of a JSONL file, {"tokens": [...]} or {"text": "..."}, with "id" carried over.
struct LogprobsOptions {
  std::string model, input, output;  // output empty: stdout
  int64_t top = 0;                   // likeliest ids at each place; 0: none
  bool special = false;              // texts get the tokens that the tokenizer's post-processor puts around them
  double temperature = 1.0;
  kernels::Dtype dtype = kernels::Dtype::float32;
  int64_t threads = 0, memory_mb = 0;
};

struct TokenizeOptions {
  std::string model;          // a model folder, a tokenizer.json or a GGUF file
  std::string input, output;  // empty: stdin, stdout
  bool json = false;          // texts are JSON strings, one a line
  bool special = false;       // tokenize: with the tokens that the post-processor puts around a text
  bool skip_special = false;  // detokenize: leave special tokens out
  int64_t threads = 0;
};

struct InspectOptions {
  std::string model;  // a model folder, with or without weights, or a GGUF file
  bool json = false;
  int64_t memory_mb = 0;
};

struct UpcycleCommandOptions {
  std::string dense, out;
  bool force = false;  // replace a model folder that is there
  model::UpcycleOptions how;
};

int run_logprobs(const LogprobsOptions& options);
int run_tokenize(const TokenizeOptions& options);
int run_detokenize(const TokenizeOptions& options);
int run_inspect(const InspectOptions& options);
int run_upcycle(const UpcycleCommandOptions& options);

}  // namespace rl
