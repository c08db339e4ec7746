// Text <-> token ids, from a Hugging Face tokenizer.json.
//
// Byte-level BPE (GPT-2 alphabet, regex splits by PCRE2, digits, added tokens) and the character tokenizer of models
// born here, which is a BPE without merges and is written as a tokenizer.json that `tokenizers` loads. Parts that are
// not covered are refused by name. Thread-safe after construction.
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
  static std::shared_ptr<const Tokenizer> from_json(const std::string& json_text, const std::string& file);
  static std::shared_ptr<const Tokenizer> from_directory(const std::string& directory);  // reads DIR/tokenizer.json

  // Ids of the text. Added and special tokens in the text are recognised, as transformers does. No post-processor: no
  // token is added at either end. Invalid UTF-8 throws Error.
  std::vector<int32_t> encode(std::string_view text) const;
  // Bytes of the tokens, joined. Special tokens are left out when skip_special. May end inside a character.
  std::string decode(const std::vector<int32_t>& ids, bool skip_special = false) const;
  // Bytes of one token, special ones too.
  const std::string& token_bytes(int32_t id) const;

  int64_t size() const;                              // ids are 0..size()-1
  int32_t id_of(std::string_view token) const;       // -1 if unknown; exact content of a token
  bool is_special(int32_t id) const;
  const std::string& json() const;                   // the text it was made from, for saving byte for byte

 private:
  struct Impl;
  explicit Tokenizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Text of a tokenizer.json that gives each character of `alphabet` and each of `special` one id, in that order.
// Example: character_tokenizer_json("0123456789+=;", {"<think>", "</think>", "<answer>", "</answer>", "<eos>", "<pad>"}).
std::string character_tokenizer_json(const std::string& alphabet, const std::vector<std::string>& special);

}  // namespace model
