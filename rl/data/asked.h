// What a problem asks, as text: problems are compared by it, with those held back for evaluation and those of test sets.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "rl/dataset.h"

namespace rl {

// What a message {"role", "content"} says: its content, or the texts of its parts one after the other. Empty: nothing.
std::string said_in(const nlohmann::ordered_json& message);

// What is asked in a field of a data file: a text itself; of a list of messages all up to the assistant's last answer, each with
// its role, without system messages, and a lone question bare. Empty: nothing, or no list of messages.
std::string asked_text(const nlohmann::ordered_json& value);

// The same of a problem, by all that its model reads before it answers, system messages too. A question asked without a
// conversation, and one asked alone in it, are the same.
std::string asked_of(const Problem& problem);

// The question, or of a conversation what each message of the user says.
std::vector<std::string> questions_in(const Problem& problem);

}  // namespace rl
