// The rows of a data file: JSONL (one object a line), or one JSON list of objects, whatever the file's name ends in.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace rl {

// Calls `take` with each row and the line where it begins, from 1, until it returns false. Empty lines are skipped but
// counted. Throws UsageError "file:line: ..." for a row that is not a JSON object or nests deeper than 200 levels, and for a
// file that cannot be read or has no rows.
void for_each_row(const std::string& file, const std::function<bool(int64_t line, const nlohmann::ordered_json& row)>& take);

// The names of its keys, for people.
std::string keys_of(const nlohmann::ordered_json& row);

// Text as it is, any other value as JSON writes it.
std::string as_text(const nlohmann::ordered_json& value);

}  // namespace rl
