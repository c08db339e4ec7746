// Makes a byte-level BPE tokenizer from text.
//
// Sennrich et al., arXiv:1508.07909: the pair of neighbouring tokens that is counted most often becomes a token, again and
// again. Pairs do not cross the pieces that the pattern cuts. Of pairs counted equally often the one with the smaller left
// id, then the smaller right id, wins. Ids: special tokens, the 256 bytes in the order of their characters, then one a
// merge. Order, counts and ties are those of BpeTrainer in `tokenizers` 0.23.3 (with the byte-level alphabet as the
// initial one), so the same texts give the same file content there and here, in any number of parts and on any machine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/tokenizer/normalizer.h"
#include "model/tokenizer/pre_tokenizer.h"
#include "model/tokenizer/token_table.h"

namespace model {

struct BpeTraining {
  int64_t vocab_size = 0;             // tokens in all, special ones too; fewer come out when no pair is left
  std::vector<std::string> special;   // get the ids 0, 1, ...
  std::string pattern = "qwen2";      // how text is cut: gpt2, qwen2 (digits one by one, NFC) or llama3 (digits in threes)
};

class BpeTrainer {
 public:
  // Throws UsageError for settings that cannot be.
  explicit BpeTrainer(BpeTraining training);

  // Counts the pieces of a text. Throws Error where it is not UTF-8. Memory: the distinct pieces.
  void add(std::string_view text);
  int64_t text_bytes() const { return text_bytes_; }

  struct Result {
    std::string tokenizer_json;
    int64_t tokens = 0;
    int64_t rarest = 0;  // how often the last merge's pair was counted
  };
  Result train();

 private:
  BpeTraining training_;
  Normalizer normalizer_;
  PreTokenizer pre_tokenizer_;
  PreTokenizer::Pieces pieces_;
  TokenTable words_;              // distinct pieces
  std::vector<int64_t> counts_;   // by id in words_
  int64_t text_bytes_ = 0;
};

}  // namespace model
