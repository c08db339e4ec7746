// Problems from a JSONL file, or from a JSON list of objects.
#pragma once

#include <string>
#include <vector>

#include "rl/dataset.h"

namespace rl {

// Every row with its question and answer (text, or a number or boolean as JSON writes it; an answer also a list or an object,
// as JSON text); the completion is empty when the row has none. Empty lines are skipped but counted for line numbers. Throws
// UsageError "file:line: ..." for a line that is not a JSON object, or lacks a key (the keys that are there are named).
// A row may hold a conversation instead, a list of {"role", "content"} under data.prompt_key or, without that key, under
// "messages": its question is the first user's text (what is asked of the model: prompt_text.h), its completion all that the
// assistant says, and no answer is needed.
// `limit` 0: all rows.
std::vector<Problem> read_jsonl(const std::string& file, const DataConfig& keys, int64_t limit = 0);

}  // namespace rl
