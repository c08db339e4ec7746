// Prompts and true answers, in an order that (seed, epoch) fixes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "rl/config.h"

namespace rl {

// One problem. `prompt_id` is its row in the file, or its index in the generator's sequence.
struct Problem {
  int64_t prompt_id = 0;
  std::string question;
  std::string answer;      // gold, as the reward reads it
  std::string completion;  // SFT target (JSONL: completion_key; generator: worked or bare); empty when there is none
  std::string data_source = {};  // the row's own (JSONL: source_key), else data.name, else the file's or generator's name
  std::string extra = {};        // JSONL: the row's other fields, as the JSON text of an object; empty when there are none
  bool blank_completion = false; // its row has a completion without a word in it
  std::string messages = {};     // the whole conversation, as the JSON text of a list; empty: question and completion say it
  int64_t prompt_messages = 0;   // of these, the first so many are the prompt of a completion; 0: the row does not say
  int64_t line = 0;              // where its row begins in the file; 0: generated
  int64_t set = 0;               // which of the stage's data sets it is of, see Mixture
  std::string dataset = {};      // the name of that [[dataset]]; empty: [data]
};

// A source of training problems. problem(i) is the i-th drawn in this run: it depends on (seed, i) alone, so a resumed
// run goes on where the counter says. Held-back problems never come. Thread-safe.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual Problem problem(int64_t index) const = 0;
  virtual int64_t id_at(int64_t index) const = 0;      // prompt_id of problem(index)
  virtual int64_t size() const = 0;                    // rows of one epoch; 0: endless (generators)
  virtual std::vector<Problem> held_back() const = 0;  // the evaluation problems, in order
  virtual int64_t held_out() const { return 0; }       // rows of the training file that are held back, and so left out
};

// Reads data.train / data.eval. A file has one JSON object a line, or is one list of them; a missing key is an error with
// file and line. A row's prompt_id counts from 0. Shuffling permutes rows per epoch, keyed by (seed, epoch). A training
// row that asks what a held-back one asks (asked_of, rl/data/asked.h) is left out; so is one that `also_held_back` names.
//
// The held-back problems are the first data.eval_problems of data.eval (0: all of a file), whatever the seed. With
// data.eval empty there are none to evaluate on, but a generator keeps the same ones out of training.
//
// With `fits`, training problems that do not fit are left out too (data.overlong_prompt, sft.overlong).
using Fits = std::function<bool(const Problem& problem)>;
using AskedTexts = std::unordered_set<std::string>;
std::unique_ptr<Dataset> open_dataset(const DataConfig& config, uint64_t seed, Fits fits = nullptr,
                                      AskedTexts also_held_back = {});

// The problems of one source in its own order: of a file its first `limit` rows (0: all), of a generator its held-back
// ones.
std::vector<Problem> read_problems(const std::string& source, const DataConfig& config, int64_t limit);

}  // namespace rl
