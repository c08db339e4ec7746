// A regular expression as Hugging Face's tokenizers read it, over PCRE2's JIT.
//
// Their engine is Oniguruma with Ruby's syntax: ^ and $ stand at every line. Where PCRE2 reads the same text in another way, the
// pattern is translated (\s and \S are spelled out as code points, since PCRE2 also lets them match U+180E; \w, \W and [:alpha:] as
// classes; \v is one character; \p{Han} is the script without those it shares; {,3} is {0,3}; (?m) is (?s)) or refused: && and
// nested classes, \h, \H, (?i) in the middle, and + after an interval, which is possessive in PCRE2 only.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace model {

class Regex {
 public:
  // Throws UsageError when the pattern is not valid or not covered; `where` starts the message.
  explicit Regex(const std::string& pattern, const std::string& where = "");

  struct Match {
    size_t begin = 0, end = 0;
    bool found = false;
  };
  // The first match at `from` or later. `text` must be valid UTF-8. Thread-safe. Throws Error when the search takes
  // without end.
  Match find(std::string_view text, size_t from) const;

 private:
  std::shared_ptr<void> code_;
  std::string pattern_;
  bool jit_ = false;
};

// What the pattern says, in PCRE2's words.
std::string translate_regex(const std::string& pattern, const std::string& where);

}  // namespace model
