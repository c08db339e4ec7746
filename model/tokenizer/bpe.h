// Byte-pair encoding of one piece of text.
//
// The piece is cut in characters. Of all neighbouring pairs that the merge list knows, the earliest listed is joined first,
// the leftmost of equals; until none is left. Byte-level vocabularies spell each byte as a character; their pieces are
// taken as bytes, so no text in that spelling is made.
//
// A character without a token becomes its bytes (byte_fallback, tokens <0x00> to <0xFF>), else the unknown token (fuse_unk:
// one for a run of them), else it is dropped, as in `tokenizers`. In a model without merges it is an error: its vocabulary is
// an alphabet that somebody chose, and nothing else would tell him that a text lies outside of it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/tokenizer/token_table.h"
#include "model/tokenizer/tokenizer_file.h"

namespace model {

class Bpe {
 public:
  // Takes the vocabulary and the merges out of `file`.
  explicit Bpe(TokenizerFile& file);

  // Appends the ids of `piece`. `byte_level`: each byte stands for its character in GPT-2's alphabet; else `piece` must be
  // UTF-8. Thread-safe, without locks: each thread keeps the latest short pieces and their ids.
  void encode(std::string_view piece, bool byte_level, std::vector<int32_t>& ids) const;

  const TokenTable& vocabulary() const { return vocabulary_; }

 private:
  struct Merge {
    uint64_t pair;  // left << 32 | right
    int32_t rank, id;
  };
  struct Scratch;
  void read_unknown(const TokenizerFile& file);
  void add_merge(int32_t left, int32_t right, int32_t rank, int32_t id);
  const Merge* find_merge(int32_t left, int32_t right) const;
  void encode_piece(std::string_view piece, bool byte_level, std::vector<int32_t>& ids) const;
  void missing(std::string_view character) const;
  void symbols_of_bytes(std::string_view piece, std::vector<int32_t>& symbols) const;
  void symbols_of_text(std::string_view piece, std::vector<int32_t>& symbols) const;
  void merge_short(std::vector<int32_t>& symbols) const;
  void merge_long(Scratch& scratch) const;

  TokenTable vocabulary_;
  std::vector<Merge> merges_;  // a flat hash table, at most half full; pair ~0 marks a free slot
  std::array<int32_t, 256> byte_ids_;      // of the byte-level characters
  std::array<int32_t, 256> fallback_ids_;  // of <0x00> to <0xFF>
  int32_t unknown_id_ = -1;
  bool bytes_need_spelling_ = false;  // some byte-level character has no token, but there is something to give instead
  bool drops_missing_ = true;
  bool ignore_merges_ = false, byte_fallback_ = false, fuse_unknown_ = false;
  uint32_t serial_;  // names this model in the threads' caches
};

}  // namespace model
