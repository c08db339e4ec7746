// From the text of a final answer to something that can be compared.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "reward/number.h"

namespace reward {

constexpr size_t most_answer_bytes = 4096;  // longer answers are not read

struct MathAnswer {
  std::optional<Rational> value;  // if the answer is a number, alone or with a unit
  std::string unit;               // "%", "dollar", "cm"; empty: none
  std::string text;               // normalised: no $, spacing commands or needless spaces; lower case
};
MathAnswer read_math_answer(std::string_view text);

// Numbers are equal as exact rationals, with equal units or a unit on one side alone (so 50% equals 50, not 0.5).
// A number never equals a text. Texts are equal if their normalised forms are the same and not empty.
bool same_answer(const MathAnswer& a, const MathAnswer& b);

// Valid UTF-8 without control characters other than white space, and every { closed.
bool readable(std::string_view text);

}  // namespace reward
