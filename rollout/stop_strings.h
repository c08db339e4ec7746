// Finds stop strings in a completion as its tokens arrive, across token borders.
//
// It works on bytes: a string is found at the token that brings its last byte, also when a character's bytes come in
// several tokens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rollout {

class StopStrings {
 public:
  // Throws Error for an empty string.
  explicit StopStrings(std::vector<std::string> strings);

  bool empty() const { return strings_.empty(); }
  // Takes the bytes of the next token. `tail` is the caller's memory of one completion, empty at its start. Returns the
  // string that ends first in the new bytes (of those that end together the first in the list), or nullptr.
  const std::string* find(std::string& tail, std::string_view token_bytes) const;

 private:
  std::vector<std::string> strings_;
  size_t longest_ = 0;
};

}  // namespace rollout
