// Parts of the tokenizer.json that an import makes; for gguf_tokenizer.cpp.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/files/json_fields.h"

namespace model {

// What differs between byte-level BPE tokenizers.
struct BytePairKind {
  nlohmann::ordered_json pre_tokenizer, normalizer = nullptr;
  bool ignore_merges = false;
  bool starts_with_bos = false;  // unless the file says otherwise
};
// By tokenizer.ggml.pre; an unknown name is a UsageError with the list of those we have.
BytePairKind byte_pair_kind(const JsonFields& metadata);

// [["a", "b"], ...]: the merges that a SentencePiece BPE vocabulary stands for. Every way to cut a piece in two pieces of
// the vocabulary is a merge; the best score comes first, then the longer left half, the longer right half, the lower ids.
// That is the order in which transformers 5.23 derives them, so ids agree with its converted tokenizers.
nlohmann::ordered_json sentencepiece_merges(const std::vector<std::string>& pieces, const std::vector<float>& scores);

}  // namespace model
