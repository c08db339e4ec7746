// Problems from a JSONL file, or from a JSON list of objects.
#pragma once

#include <string>
#include <vector>

#include "rl/dataset.h"

namespace rl {

// Every row in the form that its keys or data.format say: row_forms.h. Texts may be numbers or booleans as JSON writes them, an
// answer also a list or an object, as JSON text; the completion is empty when the row has none. Of a conversation the question is
// the first user's text (what is asked of the model: prompt_text.h), the completion all that the assistant says. Empty lines are
// skipped but counted for line numbers. Throws UsageError "file:line: ..." for a line that is not a JSON object, or lacks a key (the
// keys that are there are named).
// `limit` 0: all rows.
std::vector<Problem> read_jsonl(const std::string& file, const DataConfig& keys, int64_t limit = 0);

}  // namespace rl
