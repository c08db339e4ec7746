// Reading a multiple-choice letter. One pass over the text, no state.
#pragma once

#include <string>
#include <string_view>

namespace reward {

struct Choice {
  enum class Kind { none, letter, several } kind = Kind::none;
  char letter = 0;   // 'A' to `last`, for a letter
  std::string text;  // as read; empty for none
};

// A place that holds the choice and nothing else: "B", "b", "(B)", "B. text", "(B) text", "\text{(B)}", "**B**", "Option B".
// Not "A cat" and not "Basic". "A or B" and "(A) x (B) y" are several.
Choice read_choice(std::string_view place, char last);

// The choice of running text: its last line, if that is a letter alone; else after the last "answer is", "answer:",
// "answer =" or "答案是" that a letter follows; else after the last such "option" or "choice". Capital letters, or any in
// parentheses.
Choice find_choice(std::string_view text, char last);

}  // namespace reward
