// The names that rl/data/identity.cpp looks for.
#pragma once

#include <string_view>
#include <vector>

namespace rl {

// One or two lower-case words.
struct VendorName {
  std::string_view first, second;  // second empty: one word
  std::string_view vendor;
  bool company = false;    // an organisation: "trained by X"; else a product: "I am X"
  bool ambiguous = false;  // also a word or a person's name
  bool prefix = false;     // a version may be glued on: gpt4o, qwen2
};
const std::vector<VendorName>& vendor_names();

// Names in Chinese text, Latin letters in lower case.
struct ChineseName {
  std::string_view name, vendor;
  bool company = false;
};
const std::vector<ChineseName>& chinese_names();

}  // namespace rl
