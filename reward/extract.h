// Where in a completion the answer stands. Every function is one pass over the text.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "reward/reward.h"

namespace reward {

std::string_view trim(std::string_view text);  // ASCII white space at both ends
bool is_space(char c);

// What follows the last </think>, or all of it when nothing was thought. Empty while the thinking is not closed (opened
// by the completion or by the end of the prompt): an answer given while thinking is none.
std::string_view after_thinking(const Item& item);

// Inside the last complete <tag>...</tag>.
std::optional<std::string_view> last_tag(std::string_view text, std::string_view tag);

// Inside the \boxed{...} or \fbox{...} that opens last among those that are closed. `steps`, if given, receives the
// number of characters looked at.
std::optional<std::string_view> last_box(std::string_view text, int64_t* steps = nullptr);

// The rest of the line after the last "####", as GSM8K writes its answers.
std::optional<std::string_view> after_hashes(std::string_view text);

// The last number in running text, with its sign: "costs $1,234.50." gives 1,234.50.
std::optional<std::string_view> last_number(std::string_view text);

}  // namespace reward
