// Where in a completion the answer stands. Every function is one pass over the text.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "reward/reward.h"

namespace reward {

std::string_view trim(std::string_view text);  // ASCII white space at both ends
bool is_space(char c);

// What follows the last </think>, or all of it when nothing was thought. Empty while the thinking is not closed (opened
// by the completion or, `opened`, before it): an answer given while thinking is none.
std::string_view after_thinking(std::string_view completion, bool opened = false);
// The same; the end of the prompt may have opened the thinking.
std::string_view after_thinking(const Item& item);

// Inside the last complete <tag>...</tag>.
std::optional<std::string_view> last_tag(std::string_view text, std::string_view tag);

// \boxed{...}, \fbox{...}, or \boxed 3 without braces.
struct Box {
  size_t begin = 0, end = 0;  // of the command with its argument
  std::string_view content;
};
// Those that are closed, in the order in which they open. `steps`, if given, receives the number of characters looked at.
std::vector<Box> find_boxes(std::string_view text, int64_t* steps = nullptr);
// Inside the one that opens last.
std::optional<std::string_view> last_box(std::string_view text);

// The rest of the line after the last "####", as GSM8K writes its answers.
std::optional<std::string_view> after_hashes(std::string_view text);

}  // namespace reward
