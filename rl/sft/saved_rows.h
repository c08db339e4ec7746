// The rows of a step that went wrong, on disk.
#pragma once

#include <string>

#include "rl/sft/rows.h"

namespace rl {

// RUN/rollouts/STAGE-000012.rows.jsonl, whole or not at all, one JSON line a row: its place in the stage's sequence, prompt_id,
// line in its file, dataset, text, ids of `prompt` and `tokens`, and runs [first, length] of the `tokens` that are `trained`.
// Readers of samples pass over it.
void save_rows(const std::string& run_directory, const std::string& stage, int64_t step, const Dataset& data,
               const RowRange& range, const SftTokenizer& rows, const model::Tokenizer& tokenizer);

}  // namespace rl
