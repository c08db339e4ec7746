// The "normalizer" of a tokenizer.json: how a text is rewritten before it is cut in pieces.
//
// Covered: Sequence, NFC, NFD, NFKC, NFKD, Lowercase, Replace (String or Regex), Prepend, Strip, ByteLevel. Others are
// refused by name. Unicode tables: utf8proc's.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "model/tokenizer/text_pattern.h"

namespace model {

class Normalizer {
 public:
  // Null: none. Throws UsageError.
  Normalizer(const nlohmann::json& part, const std::string& where);

  bool empty() const { return steps_.empty(); }
  // The text rewritten; it lies in `storage` unless nothing changed. *cut_front: white space at its front was taken away.
  // Thread-safe.
  std::string_view apply(std::string_view text, std::string& storage, bool* cut_front) const;

 private:
  enum class Kind { form, lowercase, replace, prepend, strip, byte_level };
  struct Step {
    Kind kind;
    int form = 0;         // utf8proc's options
    TextPattern pattern;  // replace
    std::string content;  // replace and prepend
    bool left = false, right = false;  // strip
  };
  void read(const nlohmann::json& part, const std::string& where, int depth);
  static std::string apply(const Step& step, std::string_view text);

  std::vector<Step> steps_;
};

}  // namespace model
