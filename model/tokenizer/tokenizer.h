// Text <-> token ids, from a Hugging Face tokenizer.json: BPE over bytes (GPT-2's alphabet) or over characters (SentencePiece's
// spelling, with byte fallback), and the character tokenizer of models born here, which is a BPE without merges.
//
// Ids and texts equal those of the library `tokenizers` 0.23.3. The differences:
// - where a vocabulary is an alphabet (no merges), a character outside of it is an error; they drop it;
// - a token of added_tokens decodes to its content under ByteLevel; they garble one with a letter such as U+00E9;
// - a special token that is looked for in the normalised text is left out when asked for; they keep one that normalising changes;
// - Metaspace's prepend_scheme "first" looks at the text as it is after the normaliser; they ask where a piece comes from;
// - "truncation" and "padding" of the file have no effect here.
// Parts that are not covered are refused by name, with file and place: see normalizer.h, pre_tokenizer.h, bpe.h,
// post_processor.h and decoder.h. Thread-safe after construction.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace model {

class Tokenizer {
 public:
  ~Tokenizer();
  // `file` is named in errors. Throws UsageError.
  static std::shared_ptr<const Tokenizer> from_json(const std::string& json_text, const std::string& file);
  static std::shared_ptr<const Tokenizer> from_directory(const std::string& directory);  // reads DIR/tokenizer.json

  // Ids of the text. Added and special tokens in the text are recognised, as transformers does. Tokens around the text,
  // such as <s> before it, come only with `add_special_tokens`; chat templates write them themselves. Throws Error for
  // text that is not UTF-8; callers of the library repair it before, as Utf8Repair does.
  std::vector<int32_t> encode(std::string_view text, bool add_special_tokens = false) const;
  // The same of each text, in order, on the threads of kernels/thread_pool.h.
  std::vector<std::vector<int32_t>> encode_batch(const std::vector<std::string_view>& texts,
                                                 bool add_special_tokens = false) const;

  // Text of the tokens: always UTF-8, broken bytes become U+FFFD. Special tokens are left out when skip_special. Ids that
  // have no token but lie below size() give nothing; others throw Error. TextStream does the same token by token.
  std::string decode(const std::vector<int32_t>& ids, bool skip_special = false) const;
  // Bytes that one token gives inside a text, special ones too; not always whole characters.
  const std::string& token_bytes(int32_t id) const;
  // The token as the file spells it; of an added one its content, normalised where the file says so.
  const std::string& spelling(int32_t id) const;

  int64_t size() const;                         // ids are 0..size()-1
  int32_t id_of(std::string_view token) const;  // -1 if unknown; of a token as the file spells it
  bool is_special(int32_t id) const;
  const std::string& json() const;  // the text it was made from, for saving byte for byte

 private:
  friend class TextStream;
  struct Impl;
  explicit Tokenizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Decodes ids one at a time. All that push and finish return, joined, is what decode gives for the ids together.
class TextStream {
 public:
  explicit TextStream(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special = false);
  ~TextStream();

  // Text that is certain now: whole characters, possibly none. What waits: the bytes of an unfinished character, a run of
  // byte tokens (another one may still spoil it), and spaces that the decoder would strip at the end.
  std::string push(int32_t id);
  // The rest. No push after it.
  std::string finish();

 private:
  struct State;
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::unique_ptr<State> state_;
};

// Text of a tokenizer.json that gives each character of `alphabet` and each of `special` one id, in that order.
// Example: character_tokenizer_json("0123456789+=;", {"<think>", "</think>", "<answer>", "</answer>", "<eos>", "<pad>"}).
std::string character_tokenizer_json(const std::string& alphabet, const std::vector<std::string>& special);

}  // namespace model
