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
  explicit AddedTokenFinder(std::vector<AddedToken> tokens);

  struct Part {
    std::string_view text;
    int32_t id;  // -1: ordinary text
  };
  // The text cut at the tokens in it; at each place the longest wins.
  std::vector<Part> split(std::string_view text) const;

 private:
  const AddedToken* match(std::string_view text, size_t at) const;

  std::array<std::vector<AddedToken>, 256> by_first_byte_;  // longest first
};

}  // namespace model
