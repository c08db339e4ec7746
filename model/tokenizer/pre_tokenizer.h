// Cuts a text into the pieces that BPE then works on, as the "pre_tokenizer" of a tokenizer.json says.
//
// Covered: Sequence, Split (String or Regex, all five behaviours, invert), ByteLevel, Digits, Punctuation, Whitespace,
// WhitespaceSplit, Metaspace (with prepend_scheme or the older add_prefix_space). Others are refused by name.
#pragma once

#include <deque>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "model/tokenizer/text_pattern.h"

namespace model {

class PreTokenizer {
 public:
  // Null: the text is one piece.
  PreTokenizer(const nlohmann::json& part, const std::string& where);

  // Working memory; keep it from call to call.
  struct Pieces {
    std::vector<std::string_view> list;

   private:
    friend class PreTokenizer;
    std::vector<std::string_view> next;
    std::deque<std::string> texts;
    bool first = false;  // the first of the list starts where the whole text starts
  };
  // Pieces in order, none empty, in `pieces.list`. They point into `text` or into `pieces`. `first`: the whole input
  // starts with this text. Thread-safe.
  void split(std::string_view text, bool first, Pieces& pieces) const;

  // The last step is ByteLevel: pieces are bytes, each of which stands for its character in GPT-2's alphabet.
  bool byte_level() const { return byte_level_; }

 private:
  enum class Kind { split, byte_level, metaspace };
  enum class Cut { pattern, digits, punctuation, spaces, words };  // what a match is
  enum class Behaviour { isolated, removed, merged_with_previous, merged_with_next, contiguous };
  enum class Prepend { never, first, always };
  struct Step {
    Kind kind = Kind::split;
    bool splits = true;
    Cut cut = Cut::pattern;
    TextPattern pattern;
    Behaviour behaviour = Behaviour::isolated;
    bool invert = false;
    Prepend prepend = Prepend::never;  // of byte_level and metaspace
    std::string prefix;
    bool spell_bytes = false;  // a ByteLevel with steps after it
  };
  struct Span {
    size_t begin, end;
    bool match;
  };

  void read(const nlohmann::json& part, const std::string& where, int depth);
  static Step read_metaspace(const nlohmann::json& part, const std::string& where);
  static Behaviour read_behaviour(const nlohmann::json& part, const std::string& where, const char* otherwise);
  static Regex::Match find(const Step& step, std::string_view text, size_t from);
  static void cut_isolated(const Step& step, std::string_view text, std::vector<std::string_view>& pieces);
  static void cut(const Step& step, std::string_view text, std::vector<std::string_view>& pieces);
  static void rewrite(const Step& step, Pieces& pieces);

  std::vector<Step> steps_;
  bool byte_level_ = false;
};

}  // namespace model
