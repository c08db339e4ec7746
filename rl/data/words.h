// Texts as they are compared with each other: without what differs between two copies of one problem.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rl {

// Letters and digits only, in lower case: "Find $2.4 \div 6$." gives "find24div6". Letters and digits of any script.
std::string letters_and_digits(std::string_view text);

// A run of letters and digits, by a hash of its lower-case form and where it stands.
struct Word {
  uint64_t hash;
  size_t begin, end;  // bytes of the text
};
std::vector<Word> words_of(std::string_view text);

// letters_and_digits() makes 22.5 and 225 the same, and x + 3 and x - 3. True if two texts that agree there have the same
// numbers and signs too ("1,000" is 1000; a minus between letters may be a hyphen and is not looked at); texts of fewer
// than 20 letters must be the same but for case, white space, dollars and full stops.
bool same_numbers(std::string_view a, std::string_view b);

}  // namespace rl
