// Tokens that are looked for in the text before anything else: <|im_start|>, <think>, ...
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace model {

struct AddedToken {
  int32_t id = -1;
  std::string content;
  bool single_word = false;                      // not when a letter or digit touches it
  bool left_strip = false, right_strip = false;  // takes the white space beside it along
  bool normalized = true;                        // looked for in the normalised text, else in the text as it is
  bool special = false;
};

class AddedTokenFinder {
 public:
  // Of tokens with equal content the first counts. Empty ones are left out.
  explicit AddedTokenFinder(std::vector<AddedToken> tokens);

  bool empty() const { return tokens_.empty(); }
  struct Part {
    std::string_view text;
    int32_t id;  // -1: ordinary text
  };
  // Appends the text cut at the tokens in it. At each place the longest wins. Thread-safe.
  void split(std::string_view text, std::vector<Part>& parts) const;

 private:
  const AddedToken* match(std::string_view text, size_t at) const;

  std::vector<AddedToken> tokens_;            // in the order of their bytes
  std::array<std::array<size_t, 2>, 256> starting_with_;  // range of tokens_ by first byte
};

}  // namespace model
