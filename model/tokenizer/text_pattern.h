// What the parts of a tokenizer.json share: {"String": ..} or {"Regex": ..}, and lists of parts.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "model/tokenizer/regex.h"

namespace model {

class JsonFields;

class TextPattern {
 public:
  TextPattern() = default;  // matches nothing
  explicit TextPattern(const JsonFields& part);         // reads part.pattern
  explicit TextPattern(const char* regex) : regex_(Regex(regex)) {}

  // The first match at `from` or later in valid UTF-8. Thread-safe.
  Regex::Match find(std::string_view text, size_t from) const;
  // Each match replaced by `content` as it stands.
  std::string replace_all(std::string_view text, std::string_view content) const;

 private:
  std::optional<Regex> regex_;
  std::string literal_;  // when there is no regex; an empty one matches nothing
};

// Calls read(part, path of the part) for each part of the list under `key`. Lists may hold lists, eight deep.
void read_sequence(const JsonFields& fields, const char* key, int depth,
                   const std::function<void(const nlohmann::json&, const std::string&)>& read);

}  // namespace model
