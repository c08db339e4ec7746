// The "decoder" of a tokenizer.json: tokens -> text.
//
// Covered: Sequence, ByteLevel, Replace (String or Regex), ByteFallback, Fuse, Strip, Metaspace. Others are refused by
// name. Without a decoder the tokens stand as they are, with a space between them, as in `tokenizers`.
//
// A decoder is a chain of steps from tokens to tokens; a stream of it hands each step's output on as soon as it is certain.
// Most steps change one token at a time. After Fuse or ByteLevel there is one token only, which arrives in parts.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "model/tokenizer/text_pattern.h"
#include "model/tokenizer/utf8.h"

namespace model {

class Decoder {
 public:
  Decoder(const nlohmann::json& part, const std::string& where);

  // ByteLevel comes first: then the tokens that it is given are bytes already, no longer spelled in GPT-2's alphabet.
  bool takes_bytes() const { return !steps_.empty() && steps_[0].kind == Kind::byte_level; }
  // Bytes that a token gives inside a text, where nothing is stripped. They need not be UTF-8.
  std::string inside(std::string_view token) const;

  // One text. The decoder must outlive it.
  class Stream {
   public:
    explicit Stream(const Decoder& decoder) : decoder_(decoder), states_(decoder.steps_.size()) {}
    // Appends to `text` what the tokens so far make certain; always whole characters. No push after finish.
    void push(std::string_view token, std::string& text);
    void finish(std::string& text);

   private:
    struct State {
      std::string held;           // of a token that arrives in parts
      std::string bytes;          // a run of byte tokens
      Utf8Repair repair;
      bool first = true;          // no token has come
      int64_t stripped = 0;       // characters, at the start; -1: the start is over
    };
    void pass(size_t step, std::string_view token, std::string& text);
    void end(size_t step, std::string& text);
    void end_bytes(size_t step, std::string& text);
    void strip_part(size_t step, std::string_view part, std::string& text);

    const Decoder& decoder_;
    std::vector<State> states_;
    bool any_ = false;
  };

 private:
  enum class Kind { byte_level, replace, byte_fallback, fuse, strip, metaspace };
  struct Step {
    Kind kind;
    TextPattern pattern;   // replace
    std::string content;   // replace; the character of strip and metaspace
    int64_t start = 0, stop = 0;  // strip: most characters at either end
    bool drops_first = false;     // metaspace: those of the first token are no spaces
    bool in_parts = false;        // what it is given is one token in parts
  };
  void read(const nlohmann::json& part, const std::string& where, int depth);
  static std::string change(const Step& step, std::string_view token, bool first);

  std::vector<Step> steps_;
};

}  // namespace model
