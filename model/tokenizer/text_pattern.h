// What the parts of a tokenizer.json share: {"String": ..} or {"Regex": ..}, and lists of parts.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "model/tokenizer/regex.h"
#include "model/tokenizer/utf8.h"

namespace model {

class JsonFields;

// All matches in a text, as Oniguruma's callers walk them: after an empty one it goes on by a character, and an empty one right
// after another match is none.
class MatchIterator {
 public:
  explicit MatchIterator(std::string_view text) : text_(text) {}
  Regex::Match match;

  // `find(from)` gives the first match at `from` or later. False: there is none.
  template <typename Find>
  bool next(const Find& find) {
    const size_t last_end = match.found ? match.end : std::string_view::npos;
    for (;;) {
      if (from_ > text_.size()) return false;
      match = find(from_);
      if (!match.found) return false;
      from_ = match.end;
      if (match.end > match.begin) return true;
      from_ += match.end < text_.size() ? utf8_length(text_, match.end) : 1;
      if (match.begin != last_end) return true;
    }
  }

 private:
  std::string_view text_;
  size_t from_ = 0;
};

class TextPattern {
 public:
  TextPattern() = default;  // matches nothing
  explicit TextPattern(const JsonFields& part);         // reads part.pattern
  explicit TextPattern(const char* regex) : regex_(Regex(regex)) {}

  // The first match at `from` or later in valid UTF-8. Thread-safe.
  Regex::Match find(std::string_view text, size_t from) const;
  // Each match replaced by `content` as it stands. Throws Error for a result of more than `most` bytes.
  std::string replace_all(std::string_view text, std::string_view content, size_t most) const;

 private:
  std::optional<Regex> regex_;
  std::string literal_;  // when there is no regex; an empty one matches nothing
};

// Calls read(part, path of the part) for each part of the list under `key`. Lists may hold lists, eight deep.
void read_sequence(const JsonFields& fields, const char* key, int depth,
                   const std::function<void(const nlohmann::json&, const std::string&)>& read);

}  // namespace model
