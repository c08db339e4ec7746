// Evaluation suites: which problems, how they are asked, who judges. Each is one file, configs/suites/NAME.toml.
//
//   title = "..."                 one line for people
//   data = "math500/test.jsonl"   below configs/data or below the folder that PONDER_DATA names; or "generator:countdown"
//   sha256, problems              of the data file that the suite was written for; another file is used with a warning
//   source, licence               repository and path, for the message when the file is missing
//   rows_by, first_row, last_row  optional: only rows whose key rows_by is a number in this range
//   prompt                        the question for the plain template; {{key}} is a value of the row, a list one line each
//   chat_prompt                   for chatml; default: prompt
//   question                      for r1-zero, which says itself where the answer goes; default: chat_prompt
//   gold = "{{key}}"              the true answer; gold_in = "box": only the last \boxed{...} of it
//   [gold]                        or: a JSON object of row values, for code ("tests" and "prompt" as in the row, lists kept)
//   template                      used unless --template names another; default: the model's
//   stop                          plain template: texts that end a completion; they and what follows are cut away before it is
//                                 judged
//   form                          what a well-formed completion has: box, answer_tags, hashes or code; r1-zero: its tags
//   votes                         true: equal answers of a problem's samples vote (cons@k)
//   max_new_tokens
//   [reward]                      name and options of the judge
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "reward/reward.h"

namespace rl {

struct Suite {
  std::string name, title, file;  // file: the TOML, empty for one made from the command line
  std::string data, sha256, source, licence;
  int64_t problems = 0;
  std::string rows_by;
  int64_t first_row = 0, last_row = 0;
  std::string prompt, chat_prompt, question;
  std::string gold, gold_in;
  std::vector<std::pair<std::string, std::string>> gold_fields;
  std::string template_style;
  std::vector<std::string> stop;
  std::string form;
  bool votes = false;
  int64_t max_new_tokens = 512;
  int64_t numbers = 4, largest = 99;  // generator:countdown
  reward::Settings reward;
};

// One problem of a suite.
struct EvalProblem {
  int64_t doc_id = 0;            // row of the file, from 0
  nlohmann::ordered_json doc;    // the row as it is
  std::string question, target;  // filled in; the chat template is not applied yet
};

struct SuiteProblems {
  std::string file, sha256;  // of a generator: "generator:NAME" and the sum of its problems as lines
  int64_t rows = 0;          // of the suite, before `limit`
  std::vector<EvalProblem> problems;
};

// Of the files in configs/suites (rl/program_folder.h). Throws UsageError if there is no such folder.
std::vector<std::string> suite_names();
// Throws UsageError for an unknown name (with the nearest), and "file:line: ..." for a file with a mistake.
Suite find_suite(const std::string& name);
Suite read_suite(const std::string& file);

// The data file of a suite: below PONDER_DATA if that is set and has it, else below configs/data. Throws UsageError that says
// where it was looked for, and which repository has it.
std::string find_data(const Suite& suite);

// The first `limit` problems (0: all). `file`: JSONL or one JSON list; find_data(suite), or the user's own. `style`: the chat
// template, which chooses the wording. Throws UsageError with file and line for a row without a key that is needed.
SuiteProblems read_suite_problems(const Suite& suite, const std::string& file, const std::string& style, int64_t limit);

// {{key}} -> the row's value. Throws UsageError "place: ...".
std::string fill_template(const std::string& text, const nlohmann::ordered_json& row, const std::string& place);

}  // namespace rl
