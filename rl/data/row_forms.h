// The forms in which a row of data comes, and what is asked and answered in each.
//
//   messages      a list of {"role", "content"} under "messages", or under data.prompt_key: a conversation
//   prompt        data.prompt_key (or "prompt") and data.completion_key: two texts, or two lists of messages, the second of which
//                 goes on from the first; or a prompt and, for RL, only its answer
//   instruction   "instruction", "input" (may be empty or missing) and "output", as in the Alpaca data: the prompt is
//                 data.instruction_prompt, or data.instruction_prompt_no_input, with these two filled in. The defaults are Alpaca's
//                 (github.com/tatsu-lab/stanford_alpaca, train.py, PROMPT_DICT).
//
// data.format names one of them; "auto" goes by each row's keys, in the order data.prompt_key, "messages", "prompt", "instruction".
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>

#include "rl/dataset.h"

namespace rl {

// Fills the problem's question, answer, completion and messages. An answer is needed only where there is no completion, not even
// an empty one. `where`: "file:line", for errors: UsageError for a row of no known form, with its keys. Returns the keys that
// were used.
std::set<std::string> take_row(Problem& problem, const nlohmann::ordered_json& row, const DataConfig& keys, const std::string& where);

// The template with {instruction} and {input} filled in; braces of these stay as they are.
std::string fill_instruction(const std::string& text, const std::string& instruction, const std::string& input);

}  // namespace rl
