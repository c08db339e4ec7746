// Cuts a text into the pieces that BPE then works on, as the "pre_tokenizer" of a tokenizer.json says.
//
// Covered: Sequence, Split (Regex or String, all five behaviours, invert), Digits, ByteLevel. ByteLevel must come once,
// as the last step: BPE here works on the bytes themselves.
#pragma once

#include <deque>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "model/tokenizer/regex.h"

namespace model {

class PreTokenizer {
 public:
  PreTokenizer(const nlohmann::json& json, const std::string& where);

  // Pieces in order, none empty. Some may live in `storage` (text with a space put before it), the others in `text`.
  std::vector<std::string_view> split(std::string_view text, std::deque<std::string>& storage) const;

 private:
  enum class Behaviour { isolated, removed, merged_with_previous, merged_with_next, contiguous };
  struct Step {
    std::vector<Regex> regex;  // one or none
    std::string literal;       // when there is no regex
    Behaviour behaviour = Behaviour::isolated;
    bool invert = false;
    bool add_prefix_space = false;  // done before the split
    bool splits = true;
  };
  struct Span {
    size_t begin, end;
    bool match;
  };

  void read(const nlohmann::json& json, const std::string& where);
  void read_split(const nlohmann::json& json, const std::string& where);
  static std::vector<Span> spans_of(const Step& step, std::string_view text);
  static void apply(const Step& step, std::string_view text, std::vector<std::string_view>& pieces);

  std::vector<Step> steps_;
  bool byte_level_ = false;
};

}  // namespace model
