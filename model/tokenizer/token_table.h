// The tokens of a vocabulary and their ids, both ways: all spellings in one block, found by a flat hash table.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace model {

uint64_t hash_of(std::string_view bytes);

class TokenTable {
 public:
  void reserve(size_t tokens, size_t bytes);
  // False when the token (not empty) or the id (>= 0) is taken.
  bool add(std::string_view token, int32_t id);
  int32_t find(std::string_view token) const;  // -1: not there
  // Empty for an id without a token. Valid until the next add.
  std::string_view spelling(int32_t id) const;
  bool has(int32_t id) const { return !spelling(id).empty(); }
  int64_t ids() const { return static_cast<int64_t>(spans_.size()); }  // one above the largest id
  int64_t count() const { return count_; }

 private:
  struct Span {
    uint32_t begin = 0, size = 0;
  };
  void grow(size_t slots);

  std::string text_;
  std::vector<Span> spans_;      // by id
  std::vector<int32_t> slots_;   // ids, or -1; a power of two of them, at most half full
  int64_t count_ = 0;
};

}  // namespace model
