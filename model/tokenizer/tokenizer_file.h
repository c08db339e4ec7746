// A tokenizer.json, read and checked as far as its form goes. What its parts mean is for the classes named like them.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/tokenizer/token_table.h"

namespace model {

struct TokenizerFile {
  struct Merge {
    int32_t left, right, joined;  // ids
  };
  std::string name;         // the file, for errors
  nlohmann::json root;      // all of it but model.vocab and model.merges
  TokenTable vocabulary;    // model.vocab
  std::vector<Merge> merges;  // model.merges, first the one that is applied first; both spellings: "a b" and ["a", "b"]
};

// Reads it with simdjson: a vocabulary of 150,000 tokens takes less than a tenth of a second. `file` is named in errors.
// Throws UsageError for text that is not JSON, models other than BPE, ids and merges that make no sense.
TokenizerFile read_tokenizer_json(const std::string& text, const std::string& file);

// A part's fields are here under "type"; absent and null parts are null.
const nlohmann::json& part_of(const nlohmann::json& root, const char* key);

}  // namespace model
