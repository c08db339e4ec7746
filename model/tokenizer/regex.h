// A regular expression as Hugging Face's tokenizers read it, over PCRE2's JIT.
//
// Their engine (Oniguruma) and PCRE2 agree on the patterns of tokenizers except for \s, which PCRE2 also lets match
// U+180E; so \s and \S are spelled out as lists of code points.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace model {

class Regex {
 public:
  // Throws UsageError when the pattern is not valid.
  explicit Regex(const std::string& pattern);

  struct Match {
    size_t begin = 0, end = 0;
    bool found = false;
  };
  // The first match at `from` or later. `text` must be valid UTF-8. Thread-safe.
  Match find(std::string_view text, size_t from) const;

  static std::string spell_out_spaces(const std::string& pattern);

 private:
  std::shared_ptr<void> code_;
  std::string pattern_;
};

}  // namespace model
