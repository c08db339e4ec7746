// Byte-pair encoding of one piece of text, over bytes.
//
// Of all neighbouring pairs that the merge list knows, the earliest listed is joined first, the leftmost of equals; until
// none is left. A heap of candidates with stale entries skipped: O(n log n) in the length of the piece.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace model {

class Bpe {
 public:
  // `json` is the "model" of a tokenizer.json.
  Bpe(const nlohmann::json& json, const std::string& where);

  // Appends the ids of `piece`. Throws Error when a byte has no token. Thread-safe.
  void encode(std::string_view piece, std::vector<int32_t>& ids) const;

  // Every entry of the vocabulary as it is spelled in the file, by id; ids without an entry are empty.
  const std::vector<std::string>& spelling() const { return spelling_; }
  const std::unordered_map<std::string, int32_t>& vocabulary() const { return vocabulary_; }

 private:
  struct Merge {
    int32_t rank, id;
  };
  void read_vocabulary(const nlohmann::json& json, const std::string& where);
  void read_merges(const nlohmann::json& json, const std::string& where);
  void read_unknown(const nlohmann::json& json, const std::string& where);
  const Merge* find_merge(int32_t left, int32_t right) const;
  void merge(std::string_view piece, std::vector<int32_t>& ids) const;
  int32_t id_of_byte(std::string_view piece, size_t at) const;

  std::unordered_map<std::string, int32_t> vocabulary_;
  std::vector<std::string> spelling_;
  std::unordered_map<std::string, int32_t> by_bytes_;  // when ignore_merges
  std::unordered_map<uint64_t, Merge> merges_;
  std::array<int32_t, 256> byte_ids_;
  int32_t unknown_id_ = -1;
  bool ignore_merges_ = false;

  mutable std::mutex cache_mutex_;
  mutable std::unordered_map<std::string, std::vector<int32_t>> cache_;
};

}  // namespace model
