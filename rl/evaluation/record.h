// One evaluated problem as a line of samples_SUITE_DATE.jsonl, in the shape of lm-eval's sample logs, and back.
//
// lm-eval's keys: doc_id, doc, target, arguments, resps, filtered_resps, filter, metrics, doc_hash, prompt_hash, target_hash and
// the problem's value of the metric. Ours beside them: checkpoint_id, data_sha256 and `samples`, an object for each sample:
// sample_index, seed, finish_reason, n_tokens, extracted, status, reason (a fixed word), detail, correct, well_formed,
// value, reward_components.
// Hashes are SHA-256 as lm-eval makes them: of the row as JSON with an indent of 2, of the prompt, of the target.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "rl/collect.h"
#include "rl/evaluation/suite.h"

namespace rl {

struct EvaluatedSample {
  int64_t index = 0, tokens = 0;
  std::string completion, extracted, status, reason, detail;
  bool truncated = false;
  std::optional<bool> correct;      // nothing: the judge failed, or the gold cannot be read
  std::optional<bool> well_formed;  // nothing: the suite asks for no form
};

struct EvaluatedProblem {
  int64_t doc_id = 0;
  std::string prompt, target, data_sha256;
  std::string hashes;  // doc_hash, prompt_hash and target_hash, joined
  std::vector<EvaluatedSample> samples;

  int64_t scored() const;  // samples with a verdict
  int64_t right() const;
  std::optional<double> share_right() const;  // of those; nothing if there is none
};

// What every line of a suite's file has in common.
struct RecordContext {
  std::string suite, form, checkpoint_id, data_sha256;
  uint64_t seed = 0;
  nlohmann::ordered_json sampling;  // lm-eval's gen_kwargs
};

// Without the newline. Bytes that are not UTF-8 become U+FFFD.
std::string record_line(const EvalProblem& problem, const Group& group, const RecordContext& context);
// Throws kernels::UsageError that names `place` for a line that is none of ours.
EvaluatedProblem read_record(const std::string& line, const std::string& place);

// The judge's verdict: right when it scored the completion and gave it its full 1. `judge`: the component that counts, of a
// reward of several; empty: the outcome's own value. Nothing when the outcome has no value.
std::optional<bool> is_right(const reward::Outcome& outcome, const std::string& judge = "");

// Does the completion have the form that was asked for? box: a closed \boxed{...}; answer_tags: <answer>...</answer>; hashes:
// "#### ..."; code: a closed ``` block; r1-zero: the tags of reward `format`.
bool has_form(const std::string& form, const std::string& prompt, const std::string& completion);

}  // namespace rl
